import { Command } from 'commander';
import { option, type Start, toCommand } from './command.ts';
import { COMMANDS } from './commands/index.ts';

const HEADER =
  'Models, keys and workers of an endpoint: the one that npm start runs on this machine, or with --stage a deployment in your AWS account.';

const FOOTER = `
LOCAL_DIR=.local is the folder of the local endpoint; MME_API_KEY is sent to a deployed one. npx mme <command> --help says more of a command.`;

/** The command line of `mme`. @param start runs what was asked for */
export const createProgram = (start: Start): Command => {
  const program = new Command('mme')
    .description(HEADER)
    .addOption(option('--stage <name>', 'the deployment of this stage, by your own AWS credentials'))
    .addOption(option('--region <name>', 'its region (default: AWS_REGION, or us-east-1)'))
    .addOption(option('--service <name>', "the service's name in serverless.yml (default: lambda-mme)"))
    .addOption(option('--bucket <name>', 'its bucket (default: what its stack says)'))
    .addOption(
      option('--endpoint <url>', 'its address, for commands that call it (default: what its stack says)').env(
        'MME_ENDPOINT',
      ),
    )
    .addOption(option('--json', 'the answer as JSON'))
    .addHelpText('after', FOOTER)
    .showSuggestionAfterError()
    .showHelpAfterError('(npx mme --help has all commands)')
    .configureHelp({ showGlobalOptions: true })
    .exitOverride();

  for (const spec of COMMANDS) {
    const [word = '', inner] = spec.name.split(' ');
    const parent = inner === undefined ? program : groupOf(program, word);
    parent.addCommand(inherit(toCommand(spec, inner ?? word, start), program));
  }
  program.helpCommand(false).addCommand(inherit(helpOf(program), program));
  return program;
};

/** `mme help keys create`. Commander's own looks no deeper than one word, and takes any. */
const helpOf = (program: Command): Command =>
  new Command('help')
    .description('help of a command')
    .argument('[command...]', 'such as push, or keys create')
    .action(async (words: readonly string[]) => {
      const { command, rest } = findCommand(program, words);
      // Commander says what it does not know, and what may be meant.
      if (rest.length > 0 && command.commands.length > 0) await program.parseAsync(words, { from: 'user' });
      else command.outputHelp();
    });

/** The command that words lead to, as far as they do. */
export const findCommand = (
  program: Command,
  words: readonly string[],
): { readonly command: Command; readonly rest: readonly string[] } => {
  const [word, ...rest] = words;
  const inner = program.commands.find((each) => each.name() === word);
  return inner === undefined ? { command: program, rest: words } : findCommand(inner, rest);
};

const GROUPS: Readonly<Record<string, string>> = { keys: 'keys of callers: create, ls, revoke' };

const groupOf = (program: Command, word: string): Command => {
  const found = program.commands.find((each) => each.name() === word);
  if (found !== undefined) return found;
  const made = inherit(new Command(word).description(GROUPS[word] ?? word), program);
  program.addCommand(made);
  return made;
};

const inherit = (command: Command, program: Command): Command => command.copyInheritedSettings(program);
