import type { TensorSpec } from '../engines/engine.ts';

/** What a worker says of a model that it has opened; crosses the Lambda hop as JSON. */
export interface Description {
  /** Absent: it takes and gives documents. */
  readonly inputs?: readonly DescribedTensor[];
  readonly outputs?: readonly DescribedTensor[];
  readonly etag: string;
  readonly sizeBytes: number;
  readonly loadMs: number;
  /** Why the object that is in the store now is not the one that is open. */
  readonly refused?: string;
}

export interface DescribedTensor {
  readonly name: string;
  readonly type: string;
  /** `null`: varies from call to call. */
  readonly shape: readonly (number | null)[];
}

export const describeTensors = (specs: readonly TensorSpec[]): readonly DescribedTensor[] =>
  specs.map(({ name, type, shape }) => ({ name, type, shape: shape.map((size) => size ?? null) }));
