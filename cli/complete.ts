import type { Command } from 'commander';

export interface Completion {
  readonly candidates: readonly string[];
  /** What the name of a model begins with, where one is wanted. */
  readonly modelPrefix?: string;
}

/** What the last of some words may become. Pure, but for the models, which only the endpoint knows. */
export const complete = (program: Command, words: readonly string[]): Completion => {
  const current = words.at(-1) ?? '';
  const before = words.slice(0, -1);
  const { command, args } = walk(program, before);
  const pending = optionOf(command, program, before.at(-1) ?? '');
  if (pending !== undefined) return { candidates: matching(pending.argChoices ?? [], current) };
  if (current.startsWith('-')) {
    const options = [...new Set([...command.options, ...program.options])];
    return { candidates: matching([...options.flatMap(({ long }) => long ?? []), '--help'], current) };
  }
  if (command.commands.length > 0) {
    return {
      candidates: matching(
        command.commands.map((each) => each.name()),
        current,
      ),
    };
  }
  const argument = command.registeredArguments[args.length];
  if (argument === undefined) return { candidates: [] };
  if (argument.name() === 'model' || argument.name() === 'prefix')
    return { candidates: [], modelPrefix: current };
  return { candidates: argument.name() === 'shell' ? matching(['bash', 'zsh', 'fish'], current) : [] };
};

/** The command that words lead to, and its arguments so far. */
const walk = (program: Command, words: readonly string[]): { command: Command; args: readonly string[] } => {
  let command = program;
  const args: string[] = [];
  for (let index = 0; index < words.length; index++) {
    const word = words[index] ?? '';
    if (optionOf(command, program, word) !== undefined) {
      index++;
      continue;
    }
    if (word.startsWith('-')) continue;
    const inner = command.commands.find((each) => each.name() === word);
    if (inner === undefined) args.push(word);
    else command = inner;
  }
  return { command, args };
};

/** The option of this name, if a word of its own follows it. */
const optionOf = (command: Command, program: Command, word: string) =>
  [...command.options, ...program.options].find(({ long, required }) => long === word && required);

const matching = (words: readonly string[], start: string): readonly string[] =>
  words.filter((word) => word.startsWith(start));
