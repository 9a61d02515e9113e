import type { Metric, Series } from './metric-store.ts';
import type { Points } from './read-points.ts';

export type SelectSeries = (metric: Pick<Metric, 'namespace' | 'name'>) => readonly Series[];
export type ReadSeries = (series: Series, periodMs: number) => Points;

export interface SchemaQuery extends Pick<Metric, 'namespace' | 'name'> {
  readonly schema: readonly string[];
  readonly where: readonly { readonly dimension: string; readonly value: string }[];
}

/** The metrics with exactly the dimensions of the schema: one more or one less is another metric. */
export const selectBySchema = (query: SchemaQuery, select: SelectSeries): readonly Series[] => {
  const { schema, where } = query;
  return select(query).filter(
    ({ dimensions }) =>
      Object.keys(dimensions).length === schema.length &&
      schema.every((dimension) => Object.hasOwn(dimensions, dimension)) &&
      where.every(({ dimension, value }) => dimensions[dimension] === value),
  );
};
