/** What the catalogue of `holdfast doctor` says of one kind of finding. */

export type DoctorSeverity = "error" | "warning" | "note";

export interface CatalogueEntry {
  readonly severity: DoctorSeverity;
  readonly meaning: string;
  readonly why: string;
  /** How it is mended in general. */
  readonly fix: string;
}
