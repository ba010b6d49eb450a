import type { Mutation } from "./mutation.ts";

/** Rules of how the service reaches Temporal, Redis and PostgreSQL. */
export const deploymentsMutations: Mutation[] = [
  {
    mistake: "the client certificate is not sent to Temporal",
    file: "temporal/connection.ts",
    find: "clientCertPair: crt && key ? { crt, key } : undefined,",
    replace: "clientCertPair: undefined,",
    noticedBy: ["test/temporal/connection.test.ts"],
  },
  {
    mistake: "an API key goes over a connection without TLS",
    file: "settings/together.ts",
    find: "if (needsTls && env.TEMPORAL_TLS === false)",
    replace: "if (needsTls && env.TEMPORAL_TLS === undefined)",
    noticedBy: ["test/scripts/config-check.test.ts"],
  },
  {
    mistake: "the key of another certificate is taken",
    file: "settings/together.ts",
    find: "if (certificate && privateKey && !isKeyOf(privateKey, certificate))",
    replace: "if (certificate && !privateKey)",
    noticedBy: ["test/scripts/config-check.test.ts"],
  },
  {
    mistake: "the client stays with the first master that a Sentinel named",
    file: "store/redis/sentinel.ts",
    find: "if (named === address) return;",
    replace: "if (address) return;",
    noticedBy: ["test/store/redis/sentinel.test.ts"],
  },
  {
    mistake: "names of statements depend on what else a build runs",
    file: "store/postgres/connect.ts",
    find: 'createHash("sha256").update(text).digest("base64url")',
    replace: "names.size",
    noticedBy: ["test/store/postgres/connect.test.ts"],
  },
  {
    mistake: "statements have names although the pooler knows none",
    file: "store/postgres/connect.ts",
    find: "const name = named ? nameOf(config.text) : undefined;",
    replace: "const name = nameOf(config.text);",
    noticedBy: ["test/store/postgres/connect.test.ts"],
  },
  {
    mistake: "the pod of Temporal's command line gets every secret of the service",
    file: "deploy/helm/second-step/templates/temporal-cli.yaml",
    find: '(list $ $files "")',
    replace: '(list $ $.Values.secret.keys "")',
    noticedBy: ["test/deploy/temporal-cli.test.ts"],
  },
  {
    mistake: "the chart mounts a private authority that nothing trusts",
    file: "deploy/helm/second-step/templates/_helpers.tpl",
    find: "- name: NODE_EXTRA_CA_CERTS",
    replace: "- name: EXTRA_CA_CERTS",
    noticedBy: ["test/deploy/helm.test.ts"],
  },
];
