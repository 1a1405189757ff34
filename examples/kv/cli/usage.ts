import { type Command, InvalidArgumentError } from 'commander';
import { formatProblems, type Problem } from '../config/settings.ts';
import { type Output, output } from './output.ts';
import { refuse } from './refusal.ts';

/** Whether a program asks: also where the arguments can't be understood otherwise. */
export function asksForJson(args: readonly string[]): boolean {
  const end = args.indexOf('--'); // What follows are no options.
  return (end < 0 ? args : args.slice(0, end)).includes('--json');
}

/** Lets a command, and those made under it from now on, tell programs too what is wrong with its arguments. */
export function withJsonErrors(command: Command, args: readonly string[], print?: Output['json']): Command {
  const json = print ?? output({ isJson: asksForJson(args) }).json;
  return command.configureOutput({
    outputError(text, write) {
      json({ error: usageError(text.trim().replace(/^error: /, '')) });
      write(text);
    },
  });
}

/** What a command gives where an environment variable can't be read: no option, so nobody else says it. */
export function refuseUsage(error: unknown, out: Output): void {
  if (!(error instanceof InvalidArgumentError)) throw error;
  refuse(out, usageError(error.message));
  out.next('rxraft --help shows what there is');
}

/** Says everything that is wrong with a configuration. */
export function refuseConfiguration(problems: readonly Problem[], out: Output): void {
  refuse(out, { code: 'CONFIGURATION', message: formatProblems(problems) });
  out.next('rxraft serve --help shows what there is');
}

function usageError(message: string) {
  return { code: 'USAGE', message, outcome: 'notCommitted' } as const;
}
