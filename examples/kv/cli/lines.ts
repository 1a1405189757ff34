import { RecordingError } from 'rxraft/testing';

/** Characters of a line, such as a batch of 64 MiB takes; a file without line breaks must not fill the memory. */
const lineCharsMax = 128 * 1024 * 1024;

/**
 * The lines of a text that comes in pieces, as `split` gives them: what follows the last line break is one too. Unlike
 * `readline`, only `\n` ends one. Throws beyond `charsMax` a line.
 */
export async function* linesOf(
  pieces: AsyncIterable<string>,
  charsMax = lineCharsMax,
): AsyncGenerator<string, void> {
  let begun: string[] = [];
  let length = 0;
  let number = 1;
  for await (const piece of pieces) {
    const [first = '', ...others] = piece.split('\n');
    begun.push(first);
    length += first.length;
    if (length > charsMax) {
      const what = `Line ${number} has more than ${charsMax} characters: this is no recording.`;
      throw new RecordingError('RAFT_RECORDING_DAMAGED', what);
    }
    for (const other of others) {
      yield begun.join('');
      number += 1;
      begun = [other];
      length = other.length;
    }
  }
  yield begun.join('');
}
