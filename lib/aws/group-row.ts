import type { AttributeValue } from '@aws-sdk/client-dynamodb';
import type { PreloadReport } from '../catalog/catalog.ts';
import type { Item } from './table.ts';

export const groupKey = (name: string): string => `GROUP#${name}`;

/** An attribute per version, so that the reports of two versions never meet. */
const PRELOAD = 'preload#';
export const preloadAttribute = (version: string): string => PRELOAD + version;

export const parseModels = (item: Item): readonly string[] =>
  (item['models']?.L ?? []).flatMap(({ S }) => S ?? []);

/** A row has 400 KB, and a slot many models. */
const MAX_ERROR = 300;

export const encodePreload = (reports: readonly PreloadReport[]): AttributeValue => ({
  L: reports.map(({ model, error, tookMs, atMs }) => ({
    M: {
      model: { S: model },
      tookMs: { N: String(Math.round(tookMs)) },
      ...(error === undefined ? {} : { error: { S: error.slice(0, MAX_ERROR) } }),
      ...(atMs === undefined ? {} : { atMs: { N: String(atMs) } }),
    },
  })),
});

export const parsePreloads = (item: Item): ReadonlyMap<string, readonly PreloadReport[]> =>
  new Map(
    Object.entries(item)
      .filter(([name]) => name.startsWith(PRELOAD))
      .map(([name, { L = [] }]) => [name.slice(PRELOAD.length), L.map(({ M = {} }) => parseReport(M))]),
  );

const parseReport = (item: Item): PreloadReport => ({
  model: item['model']?.S ?? '',
  tookMs: Number(item['tookMs']?.N),
  ...(item['error']?.S === undefined ? {} : { error: item['error'].S }),
  ...(item['atMs']?.N === undefined ? {} : { atMs: Number(item['atMs'].N) }),
});
