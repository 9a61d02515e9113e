import { callManagement, type ModelAnswer, type TensorAnswer } from '../call-management.ts';
import { type CommandSpec, option } from '../command.ts';
import { explainModel, explanationText } from '../describe-model.ts';
import { bytesText } from '../output.ts';
import { boundsText } from './manage.ts';

export const describe: CommandSpec = {
  name: 'describe',
  summary: 'what a model is: its object, inputs and outputs, tier, workers, and what is wrong with it',
  args: [['<model>', 'its name']],
  options: [option('--no-open', 'without opening it, which its inputs and outputs take')],
  example: 'describe tenant-7/churn.tar.gz',
  async run([model = ''], { open }, { connection, output }) {
    const { store } = connection;
    const [answer, plan, [row]] = await Promise.all([
      callManagement(connection, 'GET', model, open === false ? '?open=false' : ''),
      store.readPlan(),
      store.readModels([model]),
    ]);
    const explained = plan && explainModel(plan, model, row);
    const lines = [
      model,
      ...describeAnswer(answer, open !== false),
      ...(plan && explained ? explanationText(explained, plan, Date.now()).split('\n').slice(1) : []),
    ];
    output.answer(lines.join('\n'), { ...answer, ...explained });
  },
};

const describeAnswer = (answer: ModelAnswer, isOpened: boolean): readonly string[] => {
  const { sizeBytes, lastModified, etag, versionId, restoredFrom, problem, loadMs } = answer;
  const version = versionId === undefined ? '' : `, version ${versionId}`;
  const restored = restoredFrom === undefined ? '' : `, rolled back to ${restoredFrom}`;
  return [
    `  object      ${bytesText(sizeBytes)}, ${lastModified}, ETag ${etag}${version}${restored}`,
    ...(isOpened && loadMs !== undefined ? tensorLines(answer) : []),
    `  bounds      ${boundsText(answer)}`,
    ...(problem === undefined ? [] : [`  problem     ${problem}`]),
  ];
};

const tensorLines = ({ inputs = [], outputs = [] }: ModelAnswer): readonly string[] => {
  if (inputs.length + outputs.length === 0) return ['  takes       any document, and gives one'];
  const text = ({ name, type, shape }: TensorAnswer): string =>
    `${name} ${type}[${shape.map((size) => size ?? '?').join(',')}]`;
  return [`  inputs      ${inputs.map(text).join(', ')}`, `  outputs     ${outputs.map(text).join(', ')}`];
};
