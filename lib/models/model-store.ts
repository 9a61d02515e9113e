/** An artifact on its way from the store. The body must be read to its end, or given up with `discard`. */
export interface ModelObject {
  /** Changes whenever the object's bytes do. */
  readonly etag: string;
  readonly sizeBytes: number;
  readonly body: AsyncIterable<Uint8Array>;
  /** Lets go of a body that is not read. */
  discard(): void;
}

/** Port. Where artifacts live; a model's name is its key below the endpoint's prefix. */
export interface ModelStore {
  /**
   * Starts reading an artifact; `undefined` when there is none, which is an answer, not an error.
   * @param knownEtag `unchanged` is the answer where the object still has this ETag
   * @throws ServingError InternalDependencyException when the store cannot be reached or refuses,
   * ServiceUnavailable when it throttles.
   */
  get(model: string, knownEtag?: string): Promise<ModelObject | 'unchanged' | undefined>;

  /**
   * The next artifacts in the order of their keys, up to 1,000 of them, by one request.
   * @param after names up to this one are left out, itself included; it need not be one that there is
   * @throws what `get` throws
   */
  list(after: string): Promise<ModelPage>;
}

export interface ModelPage {
  /** By name. */
  readonly etags: ReadonlyMap<string, string>;
  /** Nothing comes after these. */
  readonly isLast: boolean;
}

/** A file of weights that is not in the archive. */
export interface WeightFile {
  /** Below the folder of the model; never empty. */
  readonly path: string;
  readonly sizeBytes: number;
  /** @throws what `ModelStore.get` throws */
  read(): Promise<ModelObject>;
}

/** Port. Where `option.model_id` points. */
export interface WeightStore {
  /**
   * The one object of that key, or all below it where it ends in `/`; empty when there are none.
   * @throws what `ModelStore.get` throws
   */
  list(location: { readonly bucket: string; readonly key: string }): Promise<readonly WeightFile[]>;
}
