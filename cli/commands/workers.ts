import type { CommandSpec, Context } from '../command.ts';
import { explainModel, explanationText } from '../describe-model.ts';
import { workersLines, workersText } from '../describe-workers.ts';
import { Unable } from '../unable.ts';

const readPlan = async ({ connection: { store } }: Context) => {
  const plan = await store.readPlan();
  if (plan !== undefined) return plan;
  throw new Unable(
    'the scaler has left no plan yet: it does with the first calls, some minutes after them in AWS',
  );
};

export const workers: CommandSpec = {
  name: 'workers',
  summary:
    'what has workers and what they cost: each model that is not cold, the busiest cold ones, the shards',
  example: 'workers --json',
  async run(_, __, context) {
    const plan = await readPlan(context);
    context.output.answer(workersText(plan, Date.now()), { ...plan, lines: workersLines(plan) });
  },
};

export const explain: CommandSpec = {
  name: 'explain',
  summary:
    'why a model is where it is: its last decision with all that went into it, and what would change it',
  args: [['<model>', 'its name']],
  example: 'explain tenant-7/churn.tar.gz',
  async run([model = ''], _, context) {
    const plan = await readPlan(context);
    const [row] = await context.connection.store.readModels([model]);
    const explained = explainModel(plan, model, row);
    context.output.answer(explanationText(explained, plan, Date.now()), explained);
  },
};
