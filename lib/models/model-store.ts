/** An artifact on its way from the store. The body must be read to its end or destroyed. */
export interface ModelObject {
  /** Changes whenever the object's bytes do. */
  readonly etag: string;
  readonly sizeBytes: number;
  readonly body: AsyncIterable<Uint8Array>;
}

/** Port. Where artifacts live; a model's name is its key below the endpoint's prefix. */
export interface ModelStore {
  /**
   * Starts reading an artifact; `undefined` when there is none, which is an answer, not an error.
   * @throws ServingError InternalDependencyException when the store cannot be reached or refuses,
   * ServiceUnavailable when it throttles.
   */
  get(model: string): Promise<ModelObject | undefined>;
}
