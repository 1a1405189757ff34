import { entriesBytes } from '../core/index.ts';
import { encodedBy } from '../transport/codec.ts';
import { isBytesCodec } from './codecs.ts';
import { type RequestError, requestError, textOf } from './errors.ts';
import type { Codec } from './state-machine.ts';

/** Commands as they go into the log: in bytes, and not too many. */
export class CommandEncoder<Command> {
  readonly #codec: Codec<Command>;
  readonly #isOfBytes: boolean;
  readonly #commandBytesMax: number;

  constructor(codec: Codec<Command>, commandBytesMax: number) {
    this.#codec = codec;
    this.#isOfBytes = isBytesCodec(codec);
    this.#commandBytesMax = commandBytesMax;
  }

  /** A command by itself. To be copied at once: of bytes, these are the caller's own, which may change them later. */
  encodeOne(command: Command): Uint8Array {
    const encoded = this.#isOfBytes && command instanceof Uint8Array ? command : this.#encode(command);
    const bytes = encoded.length;
    if (bytes > this.#commandBytesMax) throw this.#tooLarge(1, bytes);
    return encoded;
  }

  /** Commands that stand one after the other in the log. */
  encodeAll(commands: readonly Command[]): readonly Uint8Array[] {
    const encoded = commands.map((command) => this.#encode(command));
    this.check(encoded);
    return encoded;
  }

  /** Throws if these are too large for one batch. */
  check(encoded: readonly Uint8Array[]): void {
    const bytes = entriesBytes(encoded) - 4;
    if (bytes > this.#commandBytesMax) throw this.#tooLarge(encoded.length, bytes);
  }

  /** Whether these bytes are a command: what is logged, every node has to read. */
  isCommand(bytes: Uint8Array): boolean {
    try {
      this.#codec.decode(bytes);
      return true;
    } catch {
      return false;
    }
  }

  #encode(command: Command): Uint8Array {
    try {
      return encodedBy(this.#codec, command);
    } catch (cause) {
      const what = `The command can't be encoded: ${textOf(cause)}.`;
      throw requestError('RAFT_BAD_COMMAND', 'notCommitted', what, { cause });
    }
  }

  #tooLarge(count: number, bytes: number): RequestError {
    const what =
      count === 1
        ? `The command has ${bytes} bytes`
        : `The ${count} commands have ${bytes} bytes, with 4 between any two`;
    return requestError(
      'RAFT_COMMAND_TOO_LARGE',
      'notCommitted',
      `${what}, the limit is ${this.#commandBytesMax} (option commandBytesMax).`,
    );
  }
}
