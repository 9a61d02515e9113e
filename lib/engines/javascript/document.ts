/**
 * How deep a document may be: what walks it later (JSON.stringify, our codecs) must not run out of stack.
 * No document of a model that people read comes near.
 */
const MAX_DEPTH = 500;

/**
 * Writes what `handle` gave as JSON, and refuses what JSON.stringify would drop or change in silence.
 * @throws Error that says where in the document what was found.
 */
export const encodeJson = (value: unknown): string => JSON.stringify(toPlain(value, 'the answer', 0));

/** A copy of values JSON knows; getters and toJSON are asked once. */
const toPlain = (value: unknown, where: string, depth: number): unknown => {
  if (depth > MAX_DEPTH) throw new Error(`the answer is circular, or deeper than ${MAX_DEPTH} levels`);
  if (value === null || typeof value === 'string' || typeof value === 'boolean') return value;
  if (typeof value === 'number' && Number.isFinite(value)) return value;
  if (typeof value !== 'object') throw new Error(`${where} is ${print(value)}, which JSON cannot say`);
  if (Array.isArray(value)) {
    return Array.from(value, (item, index) => toPlain(item, `${where}[${index}]`, depth + 1));
  }
  if ('toJSON' in value && typeof value.toJSON === 'function')
    return toPlain(value.toJSON(), where, depth + 1);
  refuseContainers(value, where);
  return copyObject(value, where, depth);
};

const copyObject = (value: object, where: string, depth: number): object => {
  const copy: Record<string, unknown> = Object.create(null);
  for (const [key, item] of Object.entries(value)) {
    // As JSON.stringify does: a field that is undefined is a field that is not there.
    if (item !== undefined) copy[key] = toPlain(item, `${where}.${key.slice(0, 40)}`, depth + 1);
  }
  return copy;
};

/** JSON.stringify makes `{}` of these, or an object by index. */
const CONTAINERS = [Promise, Map, Set, ArrayBuffer, SharedArrayBuffer] as const;

const refuseContainers = (value: object, where: string): void => {
  const container = CONTAINERS.find((each) => value instanceof each);
  if (container === undefined && !ArrayBuffer.isView(value)) return;
  const name = container?.name ?? Object.prototype.toString.call(value).slice(8, -1);
  const advice =
    container === Promise ? 'await it' : 'make it an array or an object, or give a Uint8Array alone';
  throw new Error(`${where} is a ${name}, which JSON cannot say: ${advice}`);
};

const print = (value: unknown): string => {
  if (typeof value === 'undefined' || typeof value === 'number') return String(value);
  return `a ${typeof value}`;
};
