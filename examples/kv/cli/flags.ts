import { type Command, Option } from 'commander';
import type { Problem, Settings, Source } from '../config/settings.ts';
import { flagSource } from '../config/sources.ts';

/**
 * Gives a command one flag for each setting. What is no setting is let through, so that it is told together
 * with everything else that is wrong.
 */
export function withFlags(command: Command, settings: Settings): Command {
  for (const [name, setting] of Object.entries(settings)) command.addOption(optionOf(name, setting));
  return command.allowUnknownOption().allowExcessArguments();
}

/** The flags that a command was given, and a problem for each argument that belongs to none. */
export function flagsOf(
  command: Command,
  settings: Settings,
): { readonly source: Source; readonly problems: readonly Problem[] } {
  const given = command.opts();
  const known = Object.entries(settings).map(
    ([name, setting]) => [name, given[optionOf(name, setting).attributeName()]] as const,
  );
  const isFlag = (arg: string | undefined): boolean => arg?.startsWith('-') === true;
  const unknown = command.args.filter(isFlag).map((arg) => [arg.replace(/^-+|=.*$/g, ''), true] as const);
  const words = command.args.filter((arg, at) => !isFlag(arg) && !isFlag(command.args[at - 1]));
  const problems = words.map((word) => ({
    given: JSON.stringify(word),
    expected: 'flags and their values only',
    example: Object.values(settings)[0]?.example ?? '',
  }));
  return { source: flagSource(Object.fromEntries([...known, ...unknown])), problems };
}

function optionOf(name: string, { value, description }: Settings[string]): Option {
  return new Option(value === undefined ? `--${name}` : `--${name} <${value}>`, description);
}
