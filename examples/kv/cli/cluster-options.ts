import { type Command, InvalidArgumentError } from 'commander';
import { isHttpUrl } from '../config/addresses.ts';
import type { Cluster } from './cluster.ts';
import { output } from './output.ts';

/** Where `npm start` puts its servers. */
const defaultUrls = 'http://127.0.0.1:8101,http://127.0.0.1:8102,http://127.0.0.1:8103';

/** Gives a command the options that say which servers it talks to, and how it answers. */
export function withCluster(command: Command): Command {
  return command
    .option('--url <URL>', 'a server', urlList)
    .option('--urls <LIST>', `servers, separated by commas (default RXRAFT_URL, or ${defaultUrls})`, urlList)
    .option('--json', 'print the result as one line of JSON');
}

/** Gives a command the option `--timeout-ms`. */
export function withTimeout(command: Command): Command {
  return command.option(
    '--timeout-ms <MS>',
    'how long the request may wait for a leader (default 5000)',
    wholeNumber,
  );
}

/** Gives a command that changes the members its options. */
export function withExpectation(command: Command): Command {
  return withTimeout(command).option(
    '--expected-index <N>',
    'only if the configuration in effect is the one of this index, as `rxraft members --json` gives it',
    index,
  );
}

/** The servers that the options name, and an output such as they ask for. */
export function clusterOf(options: {
  readonly url?: readonly string[];
  readonly urls?: readonly string[];
  readonly json?: boolean;
}): Cluster {
  const given = [...(options.url ?? []), ...(options.urls ?? [])];
  const urls = given.length > 0 ? given : usualUrls();
  const flags = given.length > 0 ? ` --urls ${urls.join(',')}` : '';
  return { urls, flags, output: output({ isJson: options.json === true }) };
}

function usualUrls(): readonly string[] {
  try {
    return urlList(process.env['RXRAFT_URL'] || defaultUrls);
  } catch (error) {
    throw error instanceof InvalidArgumentError
      ? new InvalidArgumentError(`RXRAFT_URL can't be used. ${error.message}`)
      : error;
  }
}

/** A whole number from 1 to 600000. */
export function wholeNumber(text: string): string {
  if (/^[1-9]\d{0,5}$/.test(text) && Number(text) <= 600_000) return text;
  throw new InvalidArgumentError('Expected a whole number from 1 to 600000, such as 5000.');
}

/** A count of something, from 0. */
export function count(text: string): number {
  if (/^\d{1,15}$/.test(text)) return Number(text);
  throw new InvalidArgumentError('Expected a whole number, such as 17.');
}

/** A count of something, from 1. */
export function atLeastOne(text: string): number {
  if (/^[1-9]\d{0,6}$/.test(text)) return Number(text);
  throw new InvalidArgumentError('Expected a whole number from 1 to 9999999, such as 256.');
}

/** A part in per cent. */
export function percent(text: string): number {
  if (/^\d{1,3}$/.test(text) && Number(text) <= 100) return Number(text);
  throw new InvalidArgumentError('Expected a whole number from 0 to 100, such as 90.');
}

function index(text: string): string {
  if (/^\d{1,15}$/.test(text)) return text;
  throw new InvalidArgumentError('Expected an index, such as 17.');
}

function urlList(text: string): readonly string[] {
  const urls = text.split(',').map((url) => url.trim().replace(/\/$/, ''));
  const wrong = urls.find((url) => !isHttpUrl(url));
  if (wrong === undefined) return urls;
  throw new InvalidArgumentError(
    `Expected URLs such as http://127.0.0.1:8101, not ${JSON.stringify(wrong)}.`,
  );
}
