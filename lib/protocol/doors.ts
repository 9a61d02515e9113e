import type { Endpoints } from '../endpoints/endpoint.ts';
import type { AsyncPlaces } from './async-invocation.ts';
import { djlDoor } from './djl-http.ts';
import { type AtDoor, createDoors } from './door.ts';
import type { HttpRequest } from './http.ts';
import { openInferenceDoor } from './open-inference-http.ts';
import { sagemakerDoor } from './sagemaker-http.ts';

/** Every API that an endpoint speaks. Those whose paths name no endpoint reach all models of the deployment. */
export const openDoors = (
  endpoints: Endpoints,
  places: AsyncPlaces,
): ((request: HttpRequest) => AtDoor | undefined) =>
  createDoors([sagemakerDoor(endpoints, places), openInferenceDoor, djlDoor]);
