import type { Catalog } from '../catalog/catalog.ts';
import type { Fence, Routes, Target } from '../catalog/routes.ts';
import { integer, text } from './attributes.ts';
import { FENCE, ROUTES_KEY } from './routes-row.ts';
import type { Item, Table } from './table.ts';

/** The one item that whoever sends calls to groups reads. */
export const dynamodbRoutes = (table: Table): Pick<Catalog, 'readRoutes'> => ({
  async readRoutes() {
    const { Item } = await table.call('GetItem', { Key: { pk: { S: ROUTES_KEY } } });
    return Item && parseRoutes(Item);
  },
});

const parseRoutes = (item: Item): Routes => {
  const coldGroups = (item['coldGroups']?.L ?? []).map((name) => text(name, 'coldGroups'));
  if (coldGroups.length === 0)
    throw new Error('the ROUTES item names no cold group: the scaler must rewrite it');
  const hot = Object.entries(item['hot']?.M ?? {}).map(
    ([model, value]) => [model, parseTarget(value.M ?? {})] as const,
  );
  const fences = Object.entries(item).flatMap(([name, value]) =>
    name.startsWith(FENCE) ? [[name.slice(FENCE.length), parseFence(value.M ?? {})] as const] : [],
  );
  return {
    epoch: integer(item['epoch'], 'epoch'),
    coldGroups,
    hot: new Map(hot),
    ...(fences.length === 0 ? {} : { fences: new Map(fences) }),
  };
};

const parseFence = (item: Item): Fence => ({
  untilMs: integer(item['untilMs'], 'untilMs'),
  reason: text(item['reason'], 'reason'),
});

const parseTarget = (item: Item): Target => ({
  functionName: text(item['functionName'], 'functionName'),
  qualifier: text(item['qualifier'], 'qualifier'),
});
