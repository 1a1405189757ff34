/**
 * What clients of the prototype send: the requests of one event-loop turn in a message.
 *
 * | bytes | |
 * |---|---|
 * | 0–3 | how many reads |
 * | 4–7 | how many writes |
 * | 8– | 4 bytes for each read: its key; then the writes, each a u32 length and a command |
 *
 * The answer to any number of messages is a u32 for the reads and one for the writes: how many of them, in the order in
 * which they were sent, have been answered since the last one.
 */
export const requestHeaderBytes = 8;
export const answerBytes = 8;
export const clientSockets = 16;
