/** CVE-2016-8867, CVE-2022-29162, CVE-2022-36109: groups and capabilities that nobody gave. Case C-08. */

import { describe, expect } from 'vitest';
import { itResists } from '../../support/attack.ts';
import { reportOf } from '../../support/probe-report.ts';

const callerGroups = ['setpriv', '--groups', '5,1234', '--inh-caps', '+chown,+kill', '--'];

describe('a process', () => {
  itResists("has exactly the groups of the configuration, none of the caller's", {
    attack: async (host) => {
      const change = (uid: number, additionalGids?: number[]) =>
        reportOf(
          host,
          (config) => {
            config.process.user = { uid, gid: uid, ...(additionalGids && { additionalGids }) };
          },
          { under: callerGroups },
        );
      expect((await change(1000, [77])).groups).toEqual([77]);
      expect((await change(0, [77])).groups).toEqual([77]);
      expect((await change(1000)).groups).toEqual([]);
      expect((await change(0)).groups).toEqual([]);
    },
  });

  itResists('has an empty inheritable and ambient set unless the configuration fills them', {
    attack: async (host) => {
      for (const uid of [0, 1000]) {
        const { capabilities } = await reportOf(
          host,
          (config) => {
            const sets = ['CAP_CHOWN', 'CAP_KILL'];
            config.process.capabilities = { bounding: sets, effective: sets, permitted: sets };
            config.process.user = { uid, gid: uid };
          },
          { under: callerGroups },
        );
        expect(capabilities.inheritable).toEqual([]);
        expect(capabilities.ambient).toEqual([]);
        expect(capabilities.bounding).toEqual(['CAP_CHOWN', 'CAP_KILL']);
        expect(capabilities.effective).toEqual(uid === 0 ? ['CAP_CHOWN', 'CAP_KILL'] : []);
        expect(capabilities.permitted).toEqual(uid === 0 ? ['CAP_CHOWN', 'CAP_KILL'] : []);
      }
    },
  });

  itResists('has no switch left that the runtime needed on its way', {
    attack: async (host) => {
      const report = await reportOf(host, (config) => {
        config.process.user = { uid: 1000, gid: 1000 };
      });
      expect(report).toMatchObject({
        keepCapabilities: false,
        securebits: 0,
        childSubreaper: 0,
        noNewPrivileges: true,
      });
      expect(report.signals.parentDeath).toBe(0);
    },
  });
});
