import type { Client } from './client.ts';
import { Http2Connection } from './http2-connection.ts';
import type { LoadOptions } from './load-process.ts';

const connections = 16;

/** The static table of HPACK (RFC 7541, appendix A): what is sent by number. */
const post = 0x83;
const http = 0x86;
const named = { authority: [0x01], path: [0x04], contentType: [0x0f, 0x10] } as const;

/**
 * Clients of etcd's gRPC interface. All connections go to the leader, which is best for etcd, and each carries as many
 * calls at once as there are.
 */
export async function etcdClient({ urls: [url = ''], bytes }: LoadOptions): Promise<Client> {
  const open = await Promise.all(Array.from({ length: connections }, () => Http2Connection.open(url)));
  const of = (caller: number): Http2Connection => open[caller % connections] as Http2Connection;
  const put = headersOf('/etcdserverpb.KV/Put');
  const range = headersOf('/etcdserverpb.KV/Range');
  return {
    write: (key, done, caller) => {
      const value = Buffer.alloc(bytes - 4, key % 251);
      of(caller).call(put, message([field(1, keyOf(key)), field(2, value)]), done);
    },
    read: (key, consistency, done, caller) => {
      const isSerializable = Buffer.from(consistency === 'read' ? [] : [0x38, 0x01]); // Field 7: whatever that node has.
      of(caller).call(range, message([field(1, keyOf(key)), isSerializable]), done);
    },
    close: () => undefined,
  };
}

/** Four bytes, as in a command of ours. */
function keyOf(key: number): Buffer {
  const bytes = Buffer.allocUnsafe(4);
  bytes.writeUInt32BE(key);
  return bytes;
}

/** A header block in which nothing goes into the dynamic table, so that it is the same each time. */
function headersOf(path: string): Buffer {
  const text = (value: string): Buffer =>
    Buffer.from(`${String.fromCharCode(value.length)}${value}`, 'latin1');
  return Buffer.concat([
    Buffer.from([post, http]),
    Buffer.from(named.path),
    text(path),
    Buffer.from(named.authority),
    text('etcd'),
    Buffer.from(named.contentType),
    text('application/grpc'),
    Buffer.from([0]),
    text('te'),
    text('trailers'),
  ]);
}

/** A message of gRPC: not compressed, its length, and protocol buffers. */
function message(fields: readonly Buffer[]): Buffer {
  const length = fields.reduce((sum, { byteLength }) => sum + byteLength, 0);
  const bytes = Buffer.allocUnsafe(5 + length);
  bytes[0] = 0;
  bytes.writeUInt32BE(length, 1);
  let at = 5;
  for (const each of fields) {
    bytes.set(each, at);
    at += each.byteLength;
  }
  return bytes;
}

/** A field of bytes, in protocol buffers. */
function field(number: number, value: Buffer): Buffer {
  const length = varint(value.byteLength);
  const bytes = Buffer.allocUnsafe(1 + length.length + value.byteLength);
  bytes[0] = number * 8 + 2;
  bytes.set(length, 1);
  bytes.set(value, 1 + length.length);
  return bytes;
}

function varint(value: number): readonly number[] {
  return value < 128 ? [value] : [(value % 128) + 128, ...varint(Math.floor(value / 128))];
}
