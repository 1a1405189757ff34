import { styleText } from 'node:util';

/** Where a command's results and talk go: results to stdout, everything said to people to stderr. */
export interface Output {
  readonly isJson: boolean;
  /** A result for a person; nothing under `--json`. */
  text(line: string): void;
  /** A result for a program: one line of JSON; nothing without `--json`. */
  json(value: unknown): void;
  /** Bytes as they are. */
  bytes(value: Uint8Array): void;
  /** Something for a person to know. */
  say(line: string): void;
  /** What to do next. */
  next(line: string): void;
  /** What went wrong, and what to do; the process will end with 1. */
  fail(message: string): void;
}

/** How text may look. */
export type Style = 'green' | 'yellow' | 'red' | 'dim' | 'bold';

/** The output of a command that was started with or without `--json`. */
export function output({ isJson }: { readonly isJson: boolean }): Output {
  const say = (line: string): void => void process.stderr.write(`${line}\n`);
  return {
    isJson,
    text: (line) => void (isJson || process.stdout.write(`${line}\n`)),
    json: (value) => void (isJson && process.stdout.write(`${JSON.stringify(value)}\n`)),
    bytes: (value) => void process.stdout.write(value),
    say,
    next: (line) => say(paint(process.stderr, 'dim', `Next: ${line}`)),
    fail: (message) => {
      say(paint(process.stderr, 'red', `error: ${message}`));
      process.exitCode = 1;
    },
  };
}

/** Text in a colour, where the stream is a terminal and `NO_COLOR` is not set. */
export function paint(stream: NodeJS.WriteStream, style: Style, text: string): string {
  const noColor = process.env['NO_COLOR'];
  const isColored =
    stream.isTTY && (noColor === undefined || noColor === '') && process.env['TERM'] !== 'dumb';
  return isColored ? styleText(style, text) : text;
}
