// Reads the command line of a tool. What it can't read is said in a sentence, with what there is instead.
import { parseArgs } from 'node:util';

/**
 * The options and the words of the command line, of which there may be some only if `allowPositionals` is said. Ends the process with 2 where
 * it names an option that is not there, or a number that is none.
 *
 * @param options - as `parseArgs` takes them, and `number` for those that are numbers: `whole`, such as 10 or Infinity, or `positive`.
 */
export function optionsOf(options, { allowPositionals = false } = {}) {
  const { values, positionals } = parsed(options, allowPositionals);
  for (const [name, { number }] of Object.entries(options)) {
    if (number !== undefined) values[name] = numberOf(name, values[name], number);
  }
  return { values, positionals };
}

function parsed(options, allowPositionals) {
  const known = Object.entries(options).map(([name, { number, ...option }]) => [name, option]);
  try {
    return parseArgs({ options: Object.fromEntries(known), allowPositionals });
  } catch (error) {
    return refuse(`${error.message}\nThe options are ${known.map(([name]) => `--${name}`).join(', ')}.`);
  }
}

function numberOf(name, text, number) {
  const value = text.trim() === '' ? Number.NaN : Number(text);
  const isWhole = Number.isInteger(value) || value === Number.POSITIVE_INFINITY;
  if (number === 'whole' ? isWhole && value >= 0 : value > 0) return value;
  return refuse(`--${name} ${text}: not a ${number} number. Expected one such as --${name} 10`);
}

function refuse(message) {
  console.error(message);
  process.exit(2);
}
