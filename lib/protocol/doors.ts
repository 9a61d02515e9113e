import { djlDoor } from './djl-http.ts';
import { createDoors, type Door } from './door.ts';
import { openInferenceDoor } from './open-inference-http.ts';
import { sagemakerDoor } from './sagemaker-http.ts';

/** Every API that an endpoint speaks. */
export const openDoors = (endpointName: string): ((routeKey: string) => Door | undefined) =>
  createDoors([sagemakerDoor(endpointName), openInferenceDoor, djlDoor]);
