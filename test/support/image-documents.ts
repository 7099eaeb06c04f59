/** Valid documents of an image, to be changed in one place by a test. */

import type { Descriptor } from '../../spec/image/descriptor.ts';
import type { ImageConfig } from '../../spec/image/image-config.ts';
import type { ImageIndex } from '../../spec/image/image-index.ts';
import type { Manifest } from '../../spec/image/manifest.ts';
import { OCI_CONFIG, OCI_INDEX, OCI_LAYER, OCI_MANIFEST } from '../../spec/image/media-type.ts';

const digest = (digit: string): string => `sha256:${digit.repeat(64)}`;

const LAYER: Descriptor = { mediaType: `${OCI_LAYER}+gzip`, digest: digest('2'), size: 32_654 };

export const MANIFEST: Manifest = {
  schemaVersion: 2,
  mediaType: OCI_MANIFEST,
  config: {
    mediaType: OCI_CONFIG,
    digest: digest('1'),
    size: 7023,
    annotations: { 'com.example.key': 'value' },
  },
  layers: [LAYER, { ...LAYER, digest: digest('3'), urls: ['https://example.com/blob'] }],
  subject: { mediaType: OCI_MANIFEST, digest: digest('4'), size: 7682, artifactType: 'application/example' },
  annotations: { 'com.example.key': 'value' },
};

export const INDEX: ImageIndex = {
  schemaVersion: 2,
  mediaType: OCI_INDEX,
  manifests: [
    {
      mediaType: OCI_MANIFEST,
      digest: digest('5'),
      size: 7143,
      platform: {
        architecture: 'ppc64le',
        os: 'linux',
        'os.version': '1',
        'os.features': ['a'],
        variant: 'power9',
      },
    },
    { mediaType: OCI_MANIFEST, digest: digest('6'), size: 2, data: 'e30=' },
    { mediaType: 'application/x.unknown', digest: digest('6'), size: 10_000_000 },
  ],
  annotations: {},
};

export const IMAGE_CONFIG: ImageConfig = {
  created: '2015-10-31T22:22:56.015925234Z',
  author: 'Alyssa P. Hacker <alyspdev@example.com>',
  architecture: 'amd64',
  os: 'linux',
  config: {
    User: 'alice',
    ExposedPorts: { '8080/tcp': {} },
    Env: ['PATH=/usr/local/sbin:/usr/bin', 'FOO=oci_is_a', 'BAR='],
    Entrypoint: ['/bin/my-app-binary'],
    Cmd: ['--foreground', ''],
    Volumes: { '/var/job-result-data': {} },
    WorkingDir: '/home/alice',
    Labels: { 'com.example.project.git.url': 'https://example.com/project.git' },
    StopSignal: 'SIGTERM',
    ArgsEscaped: false,
  },
  rootfs: { type: 'layers', diff_ids: [digest('7'), digest('8')] },
  history: [
    { created: '2015-10-31T22:22:54.690851953Z', created_by: '/bin/sh -c #(nop) ADD file in /' },
    {
      created: '2015-10-31T22:22:55.613815829Z',
      created_by: '/bin/sh -c #(nop) CMD ["sh"]',
      empty_layer: true,
    },
  ],
};
