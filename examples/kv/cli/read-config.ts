import type { Command } from 'commander';
import { type ServeConfig, serveConfig } from '../config/serve-config.ts';
import { serveSettings } from '../config/serve-settings.ts';
import type { Problem } from '../config/settings.ts';
import { envSource, fileSource } from '../config/sources.ts';
import { flagsOf } from './flags.ts';

/** What flags, environment and file come to, in this order of precedence, or everything that is wrong. */
export function readConfig(
  command: Command,
  env: NodeJS.ProcessEnv,
): { readonly config: ServeConfig } | { readonly problems: readonly Problem[] } {
  const flags = flagsOf(command, serveSettings);
  const file = fileSource(command.opts()['config'] ?? env['RXRAFT_CONFIG']);
  const read = serveConfig([flags.source, envSource(env, serveSettings), ...file.sources]);
  const unread = [...flags.problems, ...file.problems];
  const isFileRead = file.problems.length === 0; // Else what seems to be missing may stand there.
  if ('problems' in read)
    return { problems: [...unread, ...read.problems.filter(({ isMissing }) => isFileRead || !isMissing)] };
  return unread.length > 0 ? { problems: unread } : read;
}
