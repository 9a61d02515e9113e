import type { ScalerState } from './state.ts';

const FORMAT = 1;

/** The state as text; maps become objects. */
export const encodeState = (state: ScalerState): string =>
  JSON.stringify({
    format: FORMAT,
    ...state,
    groups: Object.fromEntries(state.groups),
    models: Object.fromEntries(state.models),
    barred: Object.fromEntries(state.barred),
  });

/**
 * What is written is only ever read by the same code or its successor, so a form that is known is trusted.
 * @throws Error for a form that is not known: a newer scaler has written it
 */
export const parseState = (text: string): ScalerState => {
  const { format, groups, models, barred, ...rest } = JSON.parse(text) as Record<string, unknown>;
  if (format !== FORMAT) {
    throw new Error(
      `the STATE item has format ${String(format)}, and this scaler reads ${FORMAT}: deploy the newer version again, or delete the item and its provisioned concurrency`,
    );
  }
  return {
    ...rest,
    groups: new Map(Object.entries(groups as object)),
    models: new Map(Object.entries(models as object)),
    barred: new Map(Object.entries(barred as object)),
  } as unknown as ScalerState;
};
