/**
 * The catalogue of what `holdfast doctor` may find on a host: how bad it is, what it means, why it matters and what usually mends it.
 * docs/doctor.md is made from this table; each finding adds its own words and the very command.
 */

import { ADVERT_FINDINGS } from "./catalogue-adverts.ts";
import type { CatalogueEntry, DoctorSeverity } from "./catalogue-entry.ts";
import { HOST_FINDINGS } from "./catalogue-host.ts";

export const DOCTOR_FINDINGS = { ...ADVERT_FINDINGS, ...HOST_FINDINGS };

export type DoctorCode = keyof typeof DOCTOR_FINDINGS;

export interface HostFinding {
  readonly id: DoctorCode;
  readonly severity: DoctorSeverity;
  /** Instance, interface or address that it is about; null: the host. */
  readonly server: string | null;
  readonly what: string;
  readonly why: string;
  /** The command that mends it, or what to do where no command can. */
  readonly fix: string;
}

export function found(id: DoctorCode, server: string | null, what: string, fix?: string): HostFinding {
  const entry: CatalogueEntry = DOCTOR_FINDINGS[id];
  return { id, severity: entry.severity, server, what, why: entry.why, fix: fix ?? entry.fix };
}

/** Something that could not be looked at. */
export interface Unseen {
  readonly what: string;
  readonly why: string;
  readonly fix: string;
}
