// Loaded by tools/start.mjs into the program it starts: if the starter dies, the program stops too.
process.once('disconnect', () => process.kill(process.pid, 'SIGTERM'));
process.channel?.unref();
