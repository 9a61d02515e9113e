import { Argument, Command, InvalidArgumentError, Option } from 'commander';
import type { Connection } from './connect.ts';
import type { Output } from './output.ts';

/** What a command works with; the endpoint is connected to when it is first asked for. */
export interface Context {
  readonly connection: Connection;
  readonly output: Output;
}

// biome-ignore lint/suspicious/noExplicitAny: commander gives what the options of the command make of the words
export type Values = Record<string, any>;

/** One command of `mme`: all that its parser, its help and the completion of a shell need. */
export interface CommandSpec {
  /** One word, or two: `keys create`. */
  readonly name: string;
  readonly summary: string;
  /** In commander's form: `<model>`, `[prefix]`. What has these names is completed with the models that there are. */
  readonly args?: readonly (Argument | readonly [name: string, summary: string])[];
  readonly options?: readonly Option[];
  readonly example: string;
  /** Says something without any endpoint. */
  readonly isOffline?: true;
  readonly run: (args: readonly string[], values: Values, context: Context) => Promise<void>;
}

export type Start = (spec: CommandSpec, args: readonly string[], values: Values) => Promise<void>;

export const option = (flags: string, summary: string): Option => new Option(flags, summary);

export const wholeNumber =
  (min: number, max = Number.MAX_SAFE_INTEGER) =>
  (text: string): number => {
    const value = Number(text);
    if (text.trim() !== '' && Number.isInteger(value) && value >= min && value <= max) return value;
    const bound = max === Number.MAX_SAFE_INTEGER ? '' : ` and at most ${max}`;
    throw new InvalidArgumentError(`It should be a whole number of at least ${min}${bound}.`);
  };

export const list = (text: string): readonly string[] => {
  const parts = text
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '');
  if (parts.length > 0 && parts.length <= 50) return parts;
  throw new InvalidArgumentError('It takes 1 to 50 of them, between commas.');
};

/** As commander has it. */
export const toCommand = (spec: CommandSpec, word: string, start: Start): Command => {
  const { summary, args = [], options = [], example } = spec;
  const command = new Command(word)
    .description(summary)
    .allowExcessArguments(false)
    .addHelpText('after', `\nExample:\n  npx mme ${example}`);
  for (const each of args) command.addArgument(each instanceof Argument ? each : new Argument(...each));
  for (const each of options) command.addOption(each);
  return command.action((...given: unknown[]) => {
    const words = given.slice(0, args.length).filter((value): value is string => typeof value === 'string');
    return start(spec, words, command.optsWithGlobals());
  });
};
