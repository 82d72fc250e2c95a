/** Completions for bash and zsh, from the command line itself. Pure text; `npm run docs` writes packaging/completions. */
import type { Command, Option } from "commander";

const NOTICE = "# Written by `npm run docs`: change the sources, not this file.";

const shown = (command: Command): readonly Option[] => command.options.filter((option) => !option.hidden);
const flags = (option: Option): string[] => [option.short, option.long].flatMap((flag) => flag ?? []);
const takesValue = (option: Option): boolean => option.required || option.optional;
/** What follows is a path: told by the name of the value. */
const isPath = (option: Option): boolean => /<(?:file|path|dir)>|\[(?:file|path|dir)\]/.test(option.flags);

/** What the first word of a command may be, where the description lists it: "add, remove or list". */
const CHOICES: Readonly<Record<string, readonly string[]>> = {
  token: ["add", "remove", "list"],
  "log-level": ["error", "warning", "info", "detail", "debug"],
  dump: ["data", "stats", "stats-clear", "json"],
};

export function bashCompletion(program: Command): string {
  const names = program.commands.map((command) => command.name());
  const cases = program.commands.map((command) => {
    const words = shown(command).flatMap(flags);
    const choices = CHOICES[command.name()] ?? [];
    return `    ${command.name()}) words="${[...words, "--help"].join(" ")}" choices="${choices.join(" ")}" ;;`;
  });
  const paths = [...new Set(program.commands.flatMap(shown).filter(isPath).flatMap(flags))];
  const values = [
    ...new Set(
      program.commands
        .flatMap(shown)
        .filter((one) => takesValue(one) && !isPath(one))
        .flatMap(flags),
    ),
  ];
  return `${NOTICE}
_holdfast() {
  local current=\${COMP_WORDS[COMP_CWORD]} previous=\${COMP_WORDS[COMP_CWORD - 1]} words="" choices=""
  COMPREPLY=()
  if ((COMP_CWORD == 1)) && [[ $current != -* ]]; then
    COMPREPLY=($(compgen -W "${names.join(" ")}" -- "$current"))
    return
  fi
  case $previous in
    --role) COMPREPLY=($(compgen -W "read operate admin" -- "$current")); return ;;
    ${paths.join(" | ")}) COMPREPLY=($(compgen -f -- "$current")); return ;;
    ${values.filter((flag) => flag !== "--role").join(" | ")}) return ;;
  esac
  case \${COMP_WORDS[1]} in
${cases.join("\n")}
    *) words="${shown(program.commands.find((one) => one.name() === "run") ?? program)
      .flatMap(flags)
      .join(" ")}" ;;
  esac
  if [[ $current == -* ]]; then
    COMPREPLY=($(compgen -W "$words" -- "$current"))
  elif [[ -n $choices ]] && ((COMP_CWORD == 2)); then
    COMPREPLY=($(compgen -W "$choices" -- "$current"))
  else
    COMPREPLY=($(compgen -f -- "$current"))
  fi
}
complete -o filenames -F _holdfast holdfast
`;
}

/** Inside a specification of _arguments in single quotes. */
const zshText = (text: string): string => text.replaceAll("'", "").replace(/[[\]:\\]/g, "\\$&");

function zshOption(option: Option): readonly string[] {
  const [, value = "value"] = /[<[]([^>\]]+)[>\]]/.exec(option.flags) ?? [];
  const action = isPath(option) ? "_files" : option.long === "--role" ? "(read operate admin)" : "";
  const argument = takesValue(option) ? `:${zshText(value)}:${action}` : "";
  return flags(option).map((flag) => `'${flag}[${zshText(option.description)}]${argument}'`);
}

export function zshCompletion(program: Command): string {
  const commands = program.commands.map((command) => `    '${command.name()}:${zshText(command.description())}'`);
  const cases = program.commands.map((command) => {
    const choices = CHOICES[command.name()];
    const first = choices === undefined ? "'*:file:_files'" : `'2:word:(${choices.join(" ")})' '*:file:_files'`;
    return `    ${command.name()}) _arguments ${[...shown(command).flatMap(zshOption), first].join(" ")} ;;`;
  });
  return `#compdef holdfast
${NOTICE}
local -a commands
if ((CURRENT == 2)); then
  commands=(
${commands.join("\n")}
  )
  _describe command commands
else
  case \${words[2]} in
${cases.join("\n")}
    *) _files ;;
  esac
fi
`;
}
