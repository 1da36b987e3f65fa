{{/* The beginning of every name. A CronJob's may have 52 characters, so that there is room for what is put behind it. */}}
{{- define "tmdb-elt.fullname" -}}
{{- $name := .Release.Name -}}
{{- if .Values.fullnameOverride -}}
{{- $name = .Values.fullnameOverride -}}
{{- else if not (contains .Chart.Name .Release.Name) -}}
{{- $name = printf "%s-%s" .Release.Name .Chart.Name -}}
{{- end -}}
{{- $name | trunc 40 | trimSuffix "-" -}}
{{- end -}}

{{/* By what an object is selected; never changes, as selectors are immutable. Of (list $ "component"). */}}
{{- define "tmdb-elt.selector" -}}
{{- $root := index . 0 -}}
app.kubernetes.io/name: {{ $root.Chart.Name }}
app.kubernetes.io/instance: {{ $root.Release.Name }}
app.kubernetes.io/component: {{ index . 1 }}
{{- end -}}

{{- define "tmdb-elt.labels" -}}
{{- $root := index . 0 -}}
{{ include "tmdb-elt.selector" . }}
app.kubernetes.io/version: {{ $root.Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ $root.Release.Service }}
helm.sh/chart: {{ printf "%s-%s" $root.Chart.Name $root.Chart.Version | replace "+" "_" }}
{{- end -}}

{{- define "tmdb-elt.image" -}}
image: {{ printf "%s:%s" .Values.image.repository (.Values.image.tag | default .Chart.AppVersion) | quote }}
imagePullPolicy: {{ .Values.image.pullPolicy }}
{{- end -}}

{{/* What every pod has in common, of (list $ workload's values). */}}
{{- define "tmdb-elt.pod" -}}
{{- $root := index . 0 -}}
{{- $own := index . 1 -}}
automountServiceAccountToken: false
{{- with $root.Values.imagePullSecrets }}
imagePullSecrets: {{- toYaml . | nindent 2 }}
{{- end }}
{{- with $own.nodeSelector }}
nodeSelector: {{- toYaml . | nindent 2 }}
{{- end }}
{{- with $own.tolerations }}
tolerations: {{- toYaml . | nindent 2 }}
{{- end }}
{{- with $own.affinity }}
affinity: {{- toYaml . | nindent 2 }}
{{- end }}
{{- with $own.priorityClassName }}
priorityClassName: {{ . }}
{{- end }}
securityContext:
  runAsNonRoot: true
  {{- with $own.runAsUser }}
  runAsUser: {{ int64 . }}
  runAsGroup: {{ int64 . }}
  fsGroup: {{ int64 . }}
  # a volume of many files would else be walked through at each start
  fsGroupChangePolicy: OnRootMismatch
  {{- end }}
  seccompProfile: {type: RuntimeDefault}
{{- end -}}

{{/* A pod template's metadata, of (list $ "component" workload's values). */}}
{{- define "tmdb-elt.pod-metadata" -}}
labels: {{- include "tmdb-elt.selector" . | nindent 2 }}
{{- with (index . 2).podAnnotations }}
annotations: {{- toYaml . | nindent 2 }}
{{- end }}
{{- end -}}

{{/* The least rights of a container. */}}
{{- define "tmdb-elt.rights" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities: {drop: [ALL]}
{{- end -}}

{{/* A variable out of the Secret, of (list $ "VARIABLE" "KEY" optional). */}}
{{- define "tmdb-elt.secret" -}}
{{- $secret := (index . 0).Values.secret -}}
{{- $from := get $secret.from (index . 2) | default dict -}}
- name: {{ index . 1 }}
  valueFrom:
    secretKeyRef:
      name: {{ $from.name | default $secret.name }}
      key: {{ $from.key | default (index . 2) }}
      {{- if index . 3 }}
      optional: true
      {{- end }}
{{- end -}}

{{/* A value as the text of a variable: Helm reads every number as a float, and would write a million as 1e+06. */}}
{{- define "tmdb-elt.text" -}}
{{- if and (kindIs "float64" .) (eq (floor .) .) -}}
{{- int64 . | toString | quote -}}
{{- else -}}
{{- toString . | quote -}}
{{- end -}}
{{- end -}}

{{- define "tmdb-elt.postgres-host" -}}
{{- if .Values.postgres.enabled -}}
{{ include "tmdb-elt.fullname" . }}-postgres
{{- else -}}
{{ .Values.externalPostgres.host }}
{{- end -}}
{{- end -}}

{{- define "tmdb-elt.postgres-port" -}}
{{- if .Values.postgres.enabled }}5432{{ else }}{{ int64 .Values.externalPostgres.port }}{{ end -}}
{{- end -}}

{{/* Where the server is, for libpq. */}}
{{- define "tmdb-elt.server" -}}
- name: PGHOST
  value: {{ include "tmdb-elt.postgres-host" . | quote }}
- name: PGPORT
  value: {{ include "tmdb-elt.postgres-port" . | quote }}
{{- if not .Values.postgres.enabled }}
- name: PGSSLMODE
  value: {{ .Values.externalPostgres.sslmode }}
{{- if .Values.externalPostgres.ca.secret }}
- name: PGSSLROOTCERT
  value: {{ include "tmdb-elt.ca-file" . }}
{{- end }}
{{- end }}
{{- end -}}

{{/* The warehouse, as its owner. */}}
{{- define "tmdb-elt.warehouse" -}}
{{ include "tmdb-elt.server" . }}
- name: PGDATABASE
  value: {{ .Values.database | quote }}
- name: PGUSER
  value: tmdb
{{ include "tmdb-elt.secret" (list . "PGPASSWORD" "WAREHOUSE_PASSWORD" false) }}
{{- end -}}

{{- define "tmdb-elt.ca-file" -}}
/etc/postgres-ca/{{ .Values.externalPostgres.ca.key }}
{{- end -}}

{{- define "tmdb-elt.mounts" -}}
- {name: tmp, mountPath: /tmp}
{{- if and (not .Values.postgres.enabled) .Values.externalPostgres.ca.secret }}
- {name: postgres-ca, mountPath: /etc/postgres-ca, readOnly: true}
{{- end }}
{{- end -}}

{{/* The volumes of those mounts, of (list $ "how much /tmp may hold"). */}}
{{- define "tmdb-elt.volumes" -}}
{{- $root := index . 0 -}}
- name: tmp
  emptyDir: {{ with index . 1 }}{sizeLimit: {{ . }}}{{ else }}{}{{ end }}
{{- if and (not $root.Values.postgres.enabled) $root.Values.externalPostgres.ca.secret }}
- name: postgres-ca
  secret: {secretName: {{ $root.Values.externalPostgres.ca.secret | quote }}}
{{- end }}
{{- end -}}

{{/*
A Job that is run at each install and upgrade, of (list $ "component" pod's template as text). Jobs are immutable, so
that each upgrade makes a new one and Helm removes the last. A hook would be shorter, but with `helm --wait` it would only
begin once Metabase is ready, and Metabase waits for the roles.
*/}}
{{- define "tmdb-elt.job-name" -}}
{{- $root := index . 0 -}}
{{ include "tmdb-elt.fullname" $root }}-{{ index . 1 }}-{{ printf "%d %s" (int $root.Release.Revision) (index . 2) | sha256sum | trunc 8 }}
{{- end -}}
