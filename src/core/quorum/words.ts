/** What `status` and `explain` say of a claim that the record of another holds up. */

/** `holder`: the host whose record stands there, null: nobody's; `millis`: until the claim goes on. */
export function waitInWords(holder: string | null, millis: number): string {
  const whose = holder === null ? "there is no record, and whoever had one" : `${holder} has the record and`;
  return `${whose} may still answer: the claim goes on in ${(millis / 1_000).toFixed(1)} s unless it is renewed`;
}
