import type { Fault, Need, Scene } from '../fault.ts';
import type { Spell } from '../link-weather.ts';

/** Without another node there are no links. */
const twoNodes: Need = { what: 'two nodes', isMet: ({ size }) => size > 1 };

/** Everything is late, by a little or a lot, on all links or on those of one node. */
export const delay: Fault = {
  name: 'delay',
  needs: twoNodes,
  run: (scene) => {
    const weather = { delayMs: scene.dice.between(5, 150), jitterMs: scene.dice.between(0, 150) };
    return spell(scene, { ...someLinks(scene), ...weather });
  },
};

/** WebSocket messages are lost, and their connections live on. */
export const drop: Fault = {
  name: 'drop',
  needs: twoNodes,
  run: (scene) => spell(scene, { ...someLinks(scene), dropPercent: scene.dice.between(5, 50) }),
};

/** What one node sends to another, or to all, is lost; what they send to it arrives. Or the other way round. */
export const oneWay: Fault = {
  name: 'oneWay',
  needs: twoNodes,
  run: (scene) => {
    const node = somePlace(scene);
    const others = placesOf(scene).filter((place) => place !== node);
    const other = scene.dice.chance(50) ? scene.dice.pick(others) : null;
    const isMute = scene.dice.chance(50);
    const covers = (from: number, to: number): boolean => {
      const [here, there] = isMute ? [from, to] : [to, from];
      return here === node && (other === null || there === other);
    };
    const where = `place ${node + 1} ${isMute ? 'to' : 'from'} ${other === null ? 'all' : other + 1}`;
    return spell(scene, { where, covers, isSilent: true });
  },
};

/** One node hears nobody and is not heard. Its connections stay open, as those to a machine that has vanished do. */
export const halfOpen: Fault = {
  name: 'halfOpen',
  needs: twoNodes,
  run: (scene) => {
    const node = somePlace(scene);
    const covers = (from: number, to: number): boolean => (from === node) !== (to === node);
    return spell(scene, { where: `place ${node + 1}`, covers, isSilent: true });
  },
};

/** The nodes fall into two parts; one node may still see both. */
export const partition: Fault = {
  name: 'partition',
  needs: twoNodes,
  run: (scene) => {
    const places = placesOf(scene);
    const side = places.map(() => scene.dice.chance(50));
    side[0] = !side.slice(1).includes(true); // There is somebody on each side.
    const isAlone = (place: number): boolean => side.filter((each) => each === side[place]).length === 1;
    const bridges = places.filter((place) => !isAlone(place)); // Else nobody were on its side but itself.
    const bridge = bridges.length > 0 && scene.dice.chance(30) ? scene.dice.pick(bridges) : null;
    const covers = (from: number, to: number): boolean =>
      side[from] !== side[to] && from !== bridge && to !== bridge;
    const placesOn = (here: boolean): string =>
      places.flatMap((at) => (side[at] === here ? [at + 1] : [])).join(' ');
    const seesBoth = bridge === null ? '' : `, but for place ${bridge + 1}`;
    return spell(scene, {
      where: `${placesOn(true)} | ${placesOn(false)}${seesBoth}`,
      covers,
      isSilent: true,
    });
  },
};

/** Every connection to a node, or to all, is reset. */
export const cut: Fault = {
  name: 'cut',
  needs: twoNodes,
  run: async (scene) => {
    const isAll = scene.dice.chance(20);
    const cutOff = isAll ? scene.cluster.slots : [scene.dice.pick(scene.cluster.slots)];
    for (const { proxy } of cutOff) proxy.cut();
    return cutOff.map(({ node }) => node.id).join(' ');
  },
};

/** The host of a node is off the network, for other nodes and for clients: packets vanish. */
export const unplug: Fault = {
  name: 'unplug',
  needs: { what: 'network namespaces (Linux, root, ip)', isMet: ({ net }) => net !== null },
  run: (scene) =>
    scene.withSlot(async (slot) => {
      const { namespace } = slot.place;
      if (namespace === undefined) return null;
      scene.cluster.net?.drop(namespace);
      await scene.last(200, 4_000);
      scene.cluster.net?.restore(namespace);
      return slot.node.id;
    }),
};

async function spell(scene: Scene, { where, ...weather }: Spell & Where): Promise<string> {
  const end = scene.cluster.forecast.begin(weather);
  await scene.last(300, 5_000);
  end();
  const { covers: _, isSilent: __, ...figures } = weather;
  return [where, ...Object.entries(figures).map(([name, figure]) => `${name} ${figure}`)].join(', ');
}

/** Where a spell is, in words: places count from 1. */
interface Where {
  readonly where: string;
}

function someLinks(scene: Scene): Pick<Spell, 'covers'> & Where {
  const node = scene.dice.chance(50) ? somePlace(scene) : null;
  const covers = (from: number, to: number): boolean => node === null || from === node || to === node;
  return { where: node === null ? 'everywhere' : `place ${node + 1}`, covers };
}

function somePlace(scene: Scene): number {
  return scene.dice.pick(placesOf(scene));
}

function placesOf({ cluster }: Scene): readonly number[] {
  return cluster.slots.map((_, at) => at);
}
