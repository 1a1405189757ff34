// Installs the packages of package-lock.json if they are not there already.
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const nodeMinimum = [20, 19];

/**
 * Runs `npm ci` when a package is missing or of another version than package-lock.json says, and says so.
 * Returns whether everything is in place.
 *
 * @param {string} root - the folder of package.json.
 */
export function install(root) {
  if (!isNodeNewEnough()) {
    console.error(`This needs Node ${nodeMinimum.join('.')} or later; this is ${process.versions.node}.`);
    return false;
  }
  const reason = whatIsMissing(root);
  if (reason === null) return true;
  console.log(`Installing packages (npm ci): ${reason}.`);
  const { status } = spawnSync('npm', ['ci', '--no-audit', '--no-fund'], { cwd: root, stdio: 'inherit' });
  if (status !== 0) console.error('npm ci failed. Its messages above say why.');
  return status === 0;
}

/** Why packages have to be installed; `null` if they don't. */
function whatIsMissing(root) {
  const installedLock = join(root, 'node_modules/.package-lock.json');
  if (!existsSync(installedLock)) return 'node_modules is not there';
  const wanted = readPackages(join(root, 'package-lock.json'));
  const installed = readPackages(installedLock);
  for (const [path, { version, optional }] of Object.entries(wanted)) {
    if (path === '') continue;
    const found = installed[path];
    if (found === undefined && optional) continue; // For another platform.
    if (found === undefined) return `${path} is not there`;
    if (found.version !== version) return `${path} is ${found.version}, not ${version}`;
  }
  return null;
}

function readPackages(path) {
  return JSON.parse(readFileSync(path, 'utf8')).packages;
}

function isNodeNewEnough() {
  const [major, minor] = process.versions.node.split('.').map(Number);
  return major > nodeMinimum[0] || (major === nodeMinimum[0] && minor >= nodeMinimum[1]);
}
