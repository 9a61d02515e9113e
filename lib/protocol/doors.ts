import type { Endpoints } from '../endpoints/endpoint.ts';
import type { AsyncPlaces } from './async-invocation.ts';
import { djlDoor } from './djl-http.ts';
import { createDoors, type Door } from './door.ts';
import { openInferenceDoor } from './open-inference-http.ts';
import { sagemakerDoor } from './sagemaker-http.ts';

/** Every API that an endpoint speaks. Those whose paths name no endpoint reach all models of the deployment. */
export const openDoors = (
  endpoints: Endpoints,
  places: AsyncPlaces,
): ((routeKey: string) => Door | undefined) =>
  createDoors([sagemakerDoor(endpoints, places), openInferenceDoor, djlDoor]);
