export const SHELLS = ['bash', 'zsh', 'fish'] as const;
export type Shell = (typeof SHELLS)[number];

/**
 * A script that completes words of `mme` with what the program itself says, a candidate a line.
 * @param program its path
 */
export const scriptOf = (shell: Shell, program: string): string => SCRIPTS[shell](quoted(shell, program));

const quoted = (shell: Shell, path: string): string =>
  shell === 'fish' ? `'${path.replaceAll(/['\\]/g, '\\$&')}'` : `'${path.replaceAll("'", String.raw`'\''`)}'`;

const SCRIPTS: Readonly<Record<Shell, (program: string) => string>> = {
  // For bash 3.2 as well, which macOS has: no mapfile, no negative subscripts, no compopt. Names come from a bucket:
  // they are quoted, and never expanded. Bash takes words apart at : and =, and completes what is after them.
  bash: (program) =>
    String.raw`# mme: eval "$(npx mme completion bash)"
_mme() {
  local word last=0 glue=0 cut candidate quoted words
  words=('')
  for word in "\${COMP_WORDS[@]:1:COMP_CWORD}"; do
    if [[ $word =~ ^[:=]+$ && $last -gt 0 ]]; then words[last]+=$word; glue=1
    elif [[ $glue == 1 ]]; then words[last]+=$word; glue=0
    else last=$((last + 1)); words[last]=$word; fi
  done
  word=\${COMP_WORDS[COMP_CWORD]}
  cut=\${words[last]%"$word"}
  if [[ $word =~ ^[:=]+$ ]]; then cut=\${words[last]}; fi
  words[last]=\${words[last]//[\\\'\"]/}
  COMPREPLY=()
  while IFS= read -r candidate; do
    printf -v quoted %q "\${candidate#"$cut"}"
    COMPREPLY[\${#COMPREPLY[@]}]=$quoted
  done < <(node ${program} __complete -- "\${words[@]:1}" 2>/dev/null)
}
complete -o default -F _mme mme`.replaceAll('\\${', '${'),
  zsh: (program) =>
    String.raw`#compdef mme
# mme: eval "$(npx mme completion zsh)"
_mme() {
  local -a candidates
  candidates=("\${(@f)$(node ${program} __complete -- "\${(@Q)words[2,CURRENT]}" 2>/dev/null)}")
  if [[ -n "$candidates" ]]; then compadd -a candidates; else _files; fi
}
compdef _mme mme`.replaceAll('\\${', '${'),
  fish: (program) => `# mme: npx mme completion fish | source
function __mme_complete
  set -l words (commandline -opc) (commandline -ct)
  node ${program} __complete -- $words[2..-1] 2>/dev/null
end
complete -c mme -a '(__mme_complete)'`,
};
