import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { encodeBatch, encodeConfiguration, votersOnly } from '../../../src/core/index.ts';
import { encodeChunk } from '../../../src/storage/snapshot-chunk.ts';
import { encodePiece } from '../../../src/storage/snapshot-piece.ts';
import { formatVersion } from '../../../src/storage/store-identity.ts';
import { recordingFormat } from '../../../src/testing/index.ts';
import { clientProtocolVersion } from '../../../src/transport/client/protocol.ts';
import { protocolVersion } from '../../../src/transport/transport.ts';
import { batchAt } from '../storage/batches.ts';

const page = readFileSync(new URL('../../../docs/formats.md', import.meta.url), 'utf8');

describe('the page of formats', () => {
  it('has the version of each, as it is written', () => {
    const one = new Uint8Array(1);
    const versions = [...page.matchAll(/^\| ([a-z ]+) \| (\d.*?) \|/gm)].map(([, name, version]) => [
      name,
      version,
    ]);

    expect(Object.fromEntries(versions)).toEqual({
      store: `${formatVersion}`,
      batch: `${encodeBatch(batchAt(1))[1]}`,
      configuration: `${encodeConfiguration(votersOnly([{ id: 'a', storeId: 's', url: 'u' }]))[4]}`,
      'chunk of a snapshot': `${encodeChunk([])[0]}, and ${encodePiece({ key: one, bytes: one, isEnd: true })[0]} for a piece of a large value`,
      'peer protocol': `${protocolVersion}`,
      'client protocol': `${clientProtocolVersion}`,
      recording: `${recordingFormat}`,
    });
  });
});
