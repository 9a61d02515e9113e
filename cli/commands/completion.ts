import { join, resolve } from 'node:path';
import type { CommandSpec } from '../command.ts';
import { UsageError } from '../usage-error.ts';

const SHELLS = ['bash', 'zsh', 'fish'] as const;
type Shell = (typeof SHELLS)[number];

/** Asks this very program, wherever it is called from. */
const ask = (): string => `node '${resolve(join(import.meta.dirname, '..', 'mme.cjs'))}' __complete`;

const SCRIPTS: Readonly<Record<Shell, () => string>> = {
  bash: () => `# mme: source <(npx mme completion bash)
_mme() {
  local IFS=$'\\n'
  COMPREPLY=($(${ask()} -- "\${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null))
}
complete -o default -F _mme mme`,
  zsh: () => `#compdef mme
# mme: source <(npx mme completion zsh)
_mme() {
  local -a candidates
  candidates=("\${(@f)$(${ask()} -- "\${(@)words[2,CURRENT]}" 2>/dev/null)}")
  if [[ -n "$candidates" ]]; then compadd -a candidates; else _files; fi
}
compdef _mme mme`,
  fish: () => `# mme: npx mme completion fish | source
function __mme_complete
  set -l words (commandline -opc) (commandline -ct)
  ${ask()} -- $words[2..-1] 2>/dev/null
end
complete -c mme -a '(__mme_complete)'`,
};

export const completion: CommandSpec = {
  name: 'completion',
  summary: 'a script that completes commands, options and models in a shell, for an alias mme="npx mme"',
  args: [['<shell>', SHELLS.join(', ')]],
  isOffline: true,
  example: 'completion bash >> ~/.bashrc',
  async run([shell = ''], _, { output }) {
    const known = SHELLS.find((each) => each === shell);
    if (known === undefined)
      throw new UsageError(`completion is for ${SHELLS.join(', ')}, not for ${JSON.stringify(shell)}`);
    output.answer(SCRIPTS[known](), { shell, script: SCRIPTS[known]() });
  },
};
