import type { Command } from 'commander'

/** Shells that completion is written for. */
export const shells = ['bash', 'zsh', 'fish'] as const

export type Shell = (typeof shells)[number]

/** What can follow the words so far: the commands, and the options of each. */
type Words = { readonly path: string; readonly next: readonly string[] }

/** A script that completes commands and options, to be read by a shell when it starts. */
export function completionScript(program: Command, shell: Shell): string {
  const name = program.name()
  const all = wordsOf(program, '')
  if (shell === 'fish') return fish(name, all)
  const cases = all
    .map(({ path, next }) => `    '${path}') words='${next.join(' ')}' ;;`)
    .join('\n')
  const script = `# completion of ${name} for ${shell}
_${name}() {
  local path='' words='' word
  for word in "\${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
    case "$word" in -*) ;; *) path="\${path:+$path }$word" ;; esac
  done
  case "$path" in
${cases}
  esac
  COMPREPLY=($(compgen -W "$words" -- "\${COMP_WORDS[COMP_CWORD]}"))
}
complete -F _${name} ${name}
`
  return shell === 'bash' ? script : `autoload -U +X bashcompinit && bashcompinit\n${script}`
}

function fish(name: string, all: readonly Words[]): string {
  const lines = all.flatMap(({ path, next }) => {
    const depth = path === '' ? [] : path.split(' ')
    const seen = depth.map((word) => `__fish_seen_subcommand_from ${word}`)
    const condition = seen.length === 0 ? '__fish_use_subcommand' : seen.join('; and ')
    return next.map((word) =>
      word.startsWith('--')
        ? `complete -c ${name} -n '${condition}' -l ${word.slice(2)}`
        : `complete -c ${name} -f -n '${condition}' -a ${word}`,
    )
  })
  return `${lines.join('\n')}\n`
}

function wordsOf(command: Command, path: string): readonly Words[] {
  const options = command.options.flatMap(({ long }) => long ?? [])
  const commands = command.commands.map((each) => each.name())
  const here = { path, next: [...commands, ...options] }
  const below = command.commands.flatMap((each) =>
    wordsOf(each, path === '' ? each.name() : `${path} ${each.name()}`),
  )
  return [here, ...below]
}
