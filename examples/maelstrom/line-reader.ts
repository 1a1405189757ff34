const newline = 0x0a;

/**
 * Cuts a stream of bytes into lines, in memory that is bounded: of a line that is longer than `lineBytesMax`
 * nothing is kept, and `onTooLong` is told once it has ended.
 */
export class LineReader {
  readonly #lineBytesMax: number;
  readonly #onLine: (line: string) => void;
  readonly #onTooLong: (bytes: number) => void;
  #pieces: Uint8Array[] = [];
  #bytes = 0;

  constructor(options: {
    readonly lineBytesMax: number;
    readonly onLine: (line: string) => void;
    readonly onTooLong: (bytes: number) => void;
  }) {
    this.#lineBytesMax = options.lineBytesMax;
    this.#onLine = options.onLine;
    this.#onTooLong = options.onTooLong;
  }

  /** Takes the bytes that came next. */
  push(chunk: Uint8Array): void {
    let start = 0;
    for (let end = chunk.indexOf(newline); end !== -1; end = chunk.indexOf(newline, start)) {
      this.#add(chunk.subarray(start, end));
      this.#end();
      start = end + 1;
    }
    this.#add(chunk.subarray(start));
  }

  #add(piece: Uint8Array): void {
    if (piece.byteLength === 0) return;
    this.#bytes += piece.byteLength;
    if (this.#bytes > this.#lineBytesMax) this.#pieces = [];
    else this.#pieces.push(piece);
  }

  #end(): void {
    const [pieces, bytes] = [this.#pieces, this.#bytes];
    this.#pieces = [];
    this.#bytes = 0;
    if (bytes > this.#lineBytesMax) this.#onTooLong(bytes);
    else if (bytes > 0) this.#onLine(Buffer.concat(pieces, bytes).toString('utf8'));
  }
}
