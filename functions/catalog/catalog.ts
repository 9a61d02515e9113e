import { type ObjectEvent, parseNotification } from '../../lib/catalog/object-events.ts';

export interface CatalogFunctionDeps {
  readonly noteObject: (event: ObjectEvent) => Promise<void>;
  /** Told of every message that has to come again. */
  readonly onFault: (error: unknown, messageId: string) => void;
}

interface QueueEvent {
  readonly Records: readonly { readonly messageId: string; readonly body: string }[];
}

/** What the event source sends again (ReportBatchItemFailures). */
interface BatchResponse {
  readonly batchItemFailures: readonly { readonly itemIdentifier: string }[];
}

/** Messages of the bucket -> rows. One that fails comes again alone. */
export const createCatalogFunction =
  ({ noteObject, onFault }: CatalogFunctionDeps) =>
  async ({ Records }: QueueEvent): Promise<BatchResponse> => {
    const failures = await Promise.all(
      Records.map(async ({ messageId, body }) => {
        try {
          for (const event of parseNotification(body)) await noteObject(event);
          return [];
        } catch (error) {
          onFault(error, messageId);
          return [{ itemIdentifier: messageId }];
        }
      }),
    );
    return { batchItemFailures: failures.flat() };
  };
