import type { Command } from 'commander';
import type { Values } from './command.ts';

export interface Completion {
  readonly candidates: readonly string[];
  /** What only the endpoint knows is wanted as well. */
  readonly wanted?: 'model' | 'function|model';
  /** What the last word begins with. */
  readonly start: string;
  /** The options among the words, by the names that commands have for them: which endpoint is meant. */
  readonly values: Values;
}

/** What the last of some words may become. Pure: what only the endpoint knows is named, and not asked for. */
export const complete = (program: Command, words: readonly string[]): Completion => {
  const start = words.at(-1) ?? '';
  const { command, args, values, pending } = walk(program, words.slice(0, -1));
  const answer = (candidates: readonly string[]): Completion => ({
    candidates: candidates.filter((word) => word.startsWith(start)),
    start,
    values,
  });
  if (pending !== undefined) return answer(pending.argChoices ?? []);
  if (start.startsWith('-')) {
    const options = [...new Set([...command.options, ...program.options])];
    return answer([...options.flatMap(({ long }) => long ?? []), '--help']);
  }
  if (command.commands.length > 0)
    return answer(args.length > 0 ? [] : command.commands.map((each) => each.name()));
  const argument = command.registeredArguments[args.length] ?? command.registeredArguments.at(-1);
  if (argument === undefined || (args.length >= command.registeredArguments.length && !argument.variadic)) {
    return answer([]);
  }
  switch (argument.name()) {
    case 'model':
    case 'prefix':
      return { ...answer([]), wanted: 'model' };
    case 'function|model':
      return { ...answer([]), wanted: 'function|model' };
    case 'command':
      return answer(walk(program, args).command.commands.map((each) => each.name()));
    default:
      return answer(argument.argChoices ?? []);
  }
};

interface Walked {
  readonly command: Command;
  readonly args: readonly string[];
  readonly values: Values;
  /** An option whose value is the next word. */
  readonly pending?: Command['options'][number];
}

/** The command that words lead to, its arguments and options so far. */
const walk = (program: Command, words: readonly string[]): Walked => {
  let command = program;
  let pending: Walked['pending'];
  const args: string[] = [];
  const values: Values = {};
  for (const word of words) {
    if (pending !== undefined) {
      values[pending.attributeName()] = word;
      pending = undefined;
    } else if (word.startsWith('-')) {
      const [name, value] = word.split(/=(.*)/s, 2);
      const option = [...command.options, ...program.options].find(({ long }) => long === name);
      if (option?.required && value === undefined) pending = option;
      else if (option !== undefined) values[option.attributeName()] = value ?? true;
    } else {
      const inner = command.commands.find((each) => each.name() === word);
      if (inner === undefined) args.push(word);
      else command = inner;
    }
  }
  return { command, args, values, ...(pending === undefined ? {} : { pending }) };
};
