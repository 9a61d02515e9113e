import type { SageMakerRecord, SageMakerRecords } from '../../lib/sagemaker/records.ts';

/** The SageMakerRecords port in memory. */
export const memoryRecords = (): SageMakerRecords => {
  const records = new Map<string, SageMakerRecord>();
  const keyOf = (kind: string, name: string): string => `${kind} ${name}`;
  return {
    find: async (kind, name) => records.get(keyOf(kind, name)),
    async create(kind, record) {
      if (records.has(keyOf(kind, record.name))) return false;
      records.set(keyOf(kind, record.name), record);
      return true;
    },
    async replace(kind, record) {
      if (!records.has(keyOf(kind, record.name))) return false;
      records.set(keyOf(kind, record.name), record);
      return true;
    },
    remove: async (kind, name) => records.delete(keyOf(kind, name)),
    list: async (kind) =>
      [...records].flatMap(([key, record]) => (key.startsWith(`${kind} `) ? [record] : [])),
  };
};
