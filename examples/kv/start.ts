import { Command } from 'commander';
import { flagsOf, withFlags } from './cli/flags.ts';
import { output } from './cli/output.ts';
import { endOnSignal } from './cli/shutdown.ts';
import { formatProblems } from './config/settings.ts';
import { type Cluster, type KeptOut, type Readiness, startCluster } from './launcher/cluster.ts';
import { prepareFolder } from './launcher/folder.ts';
import { type LaunchConfig, type LaunchedNode, launchConfig, nodesOf } from './launcher/launch-config.ts';
import { launchSettings } from './launcher/launch-settings.ts';
import { joinArguments } from './launcher/node-process.ts';
import { refusalOfNewNodes } from './launcher/stored-members.ts';

/** How long all nodes may take to end. */
const closeMsMax = 15_000;

const out = output({ isJson: false });

await withFlags(new Command('npm start --'), launchSettings)
  .description('Runs a cluster on this machine, each node in a process of its own, until Ctrl-C.')
  .action(async (_options, command: Command) => {
    const flags = flagsOf(command, launchSettings);
    const read = launchConfig(flags.source);
    const problems = [...flags.problems, ...('problems' in read ? read.problems : [])];
    if ('problems' in read || problems.length > 0) return out.fail(formatProblems(problems));
    const refusal =
      prepareFolder(read.config.data, read.config) ?? (await refusalOfNewNodes(nodesOf(read.config)));
    if (refusal !== null) return out.fail(refusal);
    await run(read.config);
  })
  .parseAsync();

async function run(config: LaunchConfig): Promise<void> {
  const cluster = started(config);
  endOnSignal({ close: cluster.stop, closeMsMax, say: out.say });
  try {
    introduce(cluster, await cluster.ready, config);
  } catch (error) {
    failToStart(error);
    await cluster.stop();
    process.exit(1);
  }
  await cluster.allDead;
  out.fail('no node is left');
  process.exit(1);
}

function started(config: LaunchConfig): Cluster {
  try {
    return startCluster(config, out.say);
  } catch (error) {
    failToStart(error); // A folder of a node can't be written, say. Those that run end when this process does.
    process.exit(1);
  }
}

function failToStart(error: unknown): void {
  out.fail(`the cluster was not started: ${error instanceof Error ? error.message : String(error)}`);
}

function introduce(
  { processes }: Cluster,
  { leaderId, keptOut }: Readiness,
  { data, port }: LaunchConfig,
): void {
  const isKeptOut = (id: string): boolean => keptOut.some(({ node }) => node.id === id);
  const running = processes.filter(({ node }) => !isKeptOut(node.id));
  const urls = running.map(({ node }) => node.url);
  const options = port === 8101 && processes.length === 3 ? '' : ` --urls ${urls.join(',')}`;
  const lines = processes.map(({ node, pid }) => {
    if (isKeptOut(node.id)) return `  ${node.id}  ${node.url}  stopped      ✕ kept out`;
    const mark = node.id === leaderId ? '★ leader' : '● follower';
    return `  ${node.id}  ${node.url}  pid ${String(pid).padEnd(7)}  ${mark}`;
  });
  const [server] = running.filter(({ node }) => node.id === leaderId);
  if (server !== undefined) for (const one of keptOut) out.say(explained(one, server.node, options));
  out.text(`${running.length} nodes are running; data and logs are in ${data}. Ctrl-C stops them.`);
  out.text(lines.join('\n'));
  out.text(`See who leads:   npx rxraft status${options}`);
  out.text(`Write and read:  npx rxraft put greeting hello${options}`);
  out.text(`                 curl ${urls[0]}/kv/greeting`);
}

/** Why a node was stopped, and how it gets back into the cluster. */
function explained({ node, code, reason }: KeptOut, server: LaunchedNode, options: string): string {
  const what = `WARNING: ${node.id} was stopped, since the others keep it out: ${reason}.`;
  if (code === 'nameInUse') return what; // The member itself is there.
  if (code === 'otherCluster') return what; // Its folder is that of another one, and not to be put to use here.
  const remove = code === 'wipedStore' ? [`npx rxraft remove ${node.id}${options}`] : [];
  const commands = [...remove, `npx rxraft ${joinArguments(node, server).join(' ')}`];
  const lines = commands.map((line) => `\n         ${line}`).join('');
  return `${what}\n       To take it in with an empty folder, run this in another terminal, while the others run:${lines}`;
}
