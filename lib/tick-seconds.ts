/** The scaler's minute in seconds, as far as CloudWatch has periods of that length; 60 on AWS, where metrics come by the minute. */
export const TICK_SECONDS = ['1', '5', '10', '20', '30', '60'] as const;
