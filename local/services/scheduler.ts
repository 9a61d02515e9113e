import type { DeployedSchedule } from '../deployment/template.ts';
import type { LambdaService } from '../lambda/lambda.ts';

export interface SchedulerOptions {
  readonly schedules: readonly DeployedSchedule[];
  readonly lambda: Pick<LambdaService, 'invoke'>;
  readonly onError: (error: unknown) => void;
}

/** EventBridge's schedules: each target is invoked once at the start and then at its rate, never twice at once. */
export const createScheduler = ({ schedules, lambda, onError }: SchedulerOptions) => {
  const fire = async ({ target }: DeployedSchedule): Promise<void> => {
    const { functionName, qualifier } = target;
    const event = { source: 'aws.events', 'detail-type': 'Scheduled Event', detail: {} };
    const result = await lambda.invoke({
      functionName,
      ...(qualifier === undefined ? {} : { qualifier }),
      payload: JSON.stringify(event),
    });
    if (result.functionError !== undefined) onError(new Error(`${functionName}: ${result.payload}`));
  };

  const timers: NodeJS.Timeout[] = [];
  const repeat = (schedule: DeployedSchedule): void => {
    let running = false;
    const tick = (): void => {
      if (running) return;
      running = true;
      fire(schedule)
        .catch(onError)
        .finally(() => {
          running = false;
        });
    };
    timers.push(setInterval(tick, schedule.everyMs));
  };

  return {
    /** Runs every schedule once and then keeps them going. */
    async start(): Promise<void> {
      await Promise.all(schedules.map((schedule) => fire(schedule).catch(onError)));
      schedules.forEach(repeat);
    },
    stop(): void {
      for (const timer of timers) clearInterval(timer);
    },
  };
};
