// The image that hull brings along: one static program and what it needs to feel at home, in three layers.
import type { ExecutionConfig } from '../../spec/image/image-config.ts';
import { HOST_PLATFORM } from '../source/image-source.ts';
import type { ImageContent, LayerFile } from './layout-writer.ts';

/** A program that needs nothing but the kernel. */
export interface StaticProgram {
  /** Below /bin. */
  readonly name: string;
  readonly content: Uint8Array;
  /** Other names that it goes by, as paths: `bin/sh`. */
  readonly links: readonly string[];
  /** What a container runs when nobody says. */
  readonly command: readonly string[];
}

export const WELCOME_TAG = 'welcome';

const PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

export function welcomeImage(program: StaticProgram): ImageContent {
  const config: ExecutionConfig = {
    Env: [`PATH=${PATH}`],
    Cmd: program.command,
    WorkingDir: '/root',
    Labels: { 'org.opencontainers.image.title': 'hull welcome' },
  };
  return {
    tag: WELCOME_TAG,
    platform: HOST_PLATFORM,
    config,
    layers: [
      { comment: 'directories and the program', files: baseLayer(program) },
      { comment: 'users and settings', files: ETC_LAYER },
      { comment: 'a welcome in the place of the notice', files: WELCOME_LAYER },
    ],
  };
}

const directory = (name: string, mode = 0o755): LayerFile => ({ name: `${name}/`, type: 'directory', mode });
const file = (name: string, content: string | Uint8Array, mode = 0o644): LayerFile => ({
  name,
  type: 'file',
  mode,
  content,
});

// biome-ignore format: a table
const DIRECTORIES: readonly LayerFile[] = [
  directory('.'), directory('bin'), directory('dev'), directory('etc'), directory('home'), directory('proc'),
  directory('root', 0o700), directory('run'), directory('sbin'), directory('sys'), directory('tmp', 0o1777),
  directory('usr'), directory('usr/bin'), directory('usr/sbin'), directory('var'), directory('var/tmp', 0o1777),
];

function baseLayer({ name, content, links }: StaticProgram): LayerFile[] {
  const program = `bin/${name}`;
  const linkFiles = links
    .filter((link) => link !== program)
    .map((link): LayerFile => {
      return { name: link, type: 'symlink', mode: 0o777, linkname: `/${program}` };
    });
  return [
    ...DIRECTORIES,
    file(program, content, 0o755),
    ...linkFiles,
    file('etc/motd', 'Nothing has been set up here.\n'),
  ];
}

const ETC_LAYER: readonly LayerFile[] = [
  directory('etc'),
  file('etc/passwd', 'root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/home:/bin/false\n'),
  file('etc/group', 'root:x:0:\ntty:x:5:\nnogroup:x:65534:\n'),
  file(
    'etc/profile',
    `export PATH=${PATH}\nexport PS1='\\h:\\w\\$ '\n[ -r /etc/welcome ] && cat /etc/welcome\n`,
  ),
];

const WELCOME_LAYER: readonly LayerFile[] = [
  directory('etc'),
  file('etc/.wh.motd', ''),
  file('etc/welcome', 'This root is three layers: look for /etc/motd, which the last one has taken away.\n'),
];
