export const KINDS = ['model', 'endpoint-config', 'endpoint'] as const;

/** What SageMaker's control plane keeps: each a thing with a name of its own among its kind. */
export type Kind = (typeof KINDS)[number];

export interface SageMakerRecord {
  readonly name: string;
  readonly createdAtMs: number;
  readonly modifiedAtMs: number;
  /** As it was given to Create: what nothing here acts on (images, roles, instances) is shown as it came. */
  readonly given: Readonly<Record<string, unknown>>;
  /** Of endpoints: what routers read. */
  readonly route?: { readonly prefix: string; readonly variant: string; readonly asyncOutput?: string };
}

/** Port. */
export interface SageMakerRecords {
  find(kind: Kind, name: string): Promise<SageMakerRecord | undefined>;
  /** @returns false when there is one of this name; nothing is written then */
  create(kind: Kind, record: SageMakerRecord): Promise<boolean>;
  /** @returns false when there is none of this name */
  replace(kind: Kind, record: SageMakerRecord): Promise<boolean>;
  /** @returns false when there is none of this name */
  remove(kind: Kind, name: string): Promise<boolean>;
  /** All of a kind, by name. */
  list(kind: Kind): Promise<readonly SageMakerRecord[]>;
}
