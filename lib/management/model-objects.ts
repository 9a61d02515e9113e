export interface ModelObject {
  readonly model: string;
  readonly sizeBytes: number;
  readonly etag: string;
  readonly modifiedAtMs: number;
}

export interface ModelHead extends ModelObject {
  /** Where the bucket is versioned. */
  readonly versionId?: string;
  /** The version that a rollback made this one of. */
  readonly restoredFrom?: string;
}

export interface ModelVersion {
  readonly versionId: string;
  readonly modifiedAtMs: number;
  readonly isDeleted: boolean;
}

/** An object in S3. */
export interface Source {
  readonly bucket: string;
  readonly key: string;
  readonly versionId?: string;
}

/** Port. The models' objects, for whoever manages them. */
export interface ModelObjects {
  /** Models whose names begin with `prefix`, in the order of their names; as many as a page has, at most `limit`. */
  list(options: {
    readonly prefix: string;
    readonly limit: number;
    readonly token?: string;
  }): Promise<{ readonly objects: readonly ModelObject[]; readonly token?: string }>;
  head(model: string): Promise<ModelHead | undefined>;
  /**
   * Makes a model of an object, whole or not at all.
   * @throws ManagementError 404 when there is no such object
   */
  copy(from: Source, model: string, restoredFrom?: string): Promise<void>;
  /** @returns what the model's object was a version of before it was deleted */
  remove(model: string): Promise<void>;
  /** Newest first; a few of many. */
  versions(model: string): Promise<readonly ModelVersion[]>;
}
