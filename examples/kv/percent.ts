/**
 * The bytes that a percent-encoded text stands for, or `null` if it is not well formed: a `%` without two
 * hexadecimal digits, or a character beyond ASCII.
 */
export function fromPercent(text: string): Uint8Array | null {
  const bytes = new Uint8Array(text.length);
  let length = 0;
  for (let at = 0; at < text.length; at++) {
    let byte = text.charCodeAt(at);
    if (byte === percentSign) {
      const digits = text.slice(at + 1, at + 3);
      if (!/^[0-9A-Fa-f]{2}$/.test(digits)) return null;
      byte = Number.parseInt(digits, 16);
      at += 2;
    } else if (byte > 0x7f) return null;
    bytes[length++] = byte;
  }
  return bytes.slice(0, length);
}

/** Bytes in a form that any part of a URL takes: everything but `A-Z a-z 0-9 - _ ~` is encoded. */
export function toPercent(bytes: Uint8Array): string {
  let text = '';
  for (const byte of bytes) {
    const char = String.fromCharCode(byte);
    text += /[A-Za-z0-9_~-]/.test(char) ? char : `%${byte.toString(16).toUpperCase().padStart(2, '0')}`;
  }
  return text;
}

const percentSign = 0x25;
