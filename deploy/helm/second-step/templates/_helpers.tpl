{{- define "second-step.name" -}}
{{ .Release.Name | trunc 30 | trimSuffix "-" }}
{{- end }}

{{/* A build as part of a name: names of Kubernetes have only small letters, digits and hyphens. */}}
{{- define "second-step.buildName" -}}
{{ regexReplaceAll "[^a-z0-9]+" (lower .) "-" | trunc 20 | trimAll "-" }}-{{ sha256sum . | trunc 6 }}
{{- end }}

{{/* What selects the pods of a part, which never changes. Call it with (list $ "gateway"). */}}
{{- define "second-step.selector" -}}
app.kubernetes.io/name: second-step
app.kubernetes.io/instance: {{ (index . 0).Release.Name }}
app.kubernetes.io/component: {{ index . 1 }}
{{- end }}

{{- define "second-step.labels" -}}
{{ include "second-step.selector" . }}
app.kubernetes.io/managed-by: {{ (index . 0).Release.Service }}
helm.sh/chart: {{ printf "%s-%s" (index . 0).Chart.Name (index . 0).Chart.Version }}
{{- end }}

{{- define "second-step.env" -}}
{{- range $name, $value := .Values.settings }}
- name: {{ $name }}
  value: {{ $value | quote }}
{{- end }}
{{- range .Values.secret.keys }}
- name: {{ . }}_FILE
  value: /run/secrets/second-step/{{ . }}
{{- end }}
{{- if include "second-step.authority" . }}
- name: NODE_EXTRA_CA_CERTS
  value: /run/authority/{{ .Values.authority.key }}
{{- end }}
{{- end }}

{{/* Where the certificates of a private authority are, as the source of a volume; nothing without one. */}}
{{- define "second-step.authority" -}}
{{- with .Values.authority -}}
{{- if .configMap -}}
configMap: { name: {{ .configMap }}, items: [{ key: {{ .key }}, path: {{ .key }} }] }
{{- else if .secret -}}
secret: { secretName: {{ .secret }}, items: [{ key: {{ .key }}, path: {{ .key }} }] }
{{- end }}
{{- end }}
{{- end }}

{{/* What the pods of all parts share. Call it with (list $ keys-of-the-Secret name-of-the-owner's-Secret), or "" for none. */}}
{{- define "second-step.pod" -}}
{{- $root := index . 0 -}}
automountServiceAccountToken: false
{{- with $root.Values.image.pullSecrets }}
imagePullSecrets: {{ toYaml . | nindent 2 }}
{{- end }}
{{- with $root.Values.nodeSelector }}
nodeSelector: {{ toYaml . | nindent 2 }}
{{- end }}
{{- with $root.Values.tolerations }}
tolerations: {{ toYaml . | nindent 2 }}
{{- end }}
securityContext:
  runAsNonRoot: true
  runAsUser: 1000
  runAsGroup: 1000
  fsGroup: 1000
  seccompProfile: { type: RuntimeDefault }
volumes:
  - name: secrets
    projected:
      defaultMode: 0440
      sources:
        {{- /* Without items a pod would get all of them. */}}
        {{- with index . 1 }}
        - secret:
            name: {{ $root.Values.secret.name }}
            items:
              {{- range . }}
              - { key: {{ . }}, path: {{ . }} }
              {{- end }}
        {{- else }}
        []
        {{- end }}
        {{- with index . 2 }}
        - secret: { name: {{ . }}, items: [{ key: DATABASE_OWNER_URL, path: DATABASE_OWNER_URL }] }
        {{- end }}
  {{- with include "second-step.authority" $root }}
  - name: authority
    {{- . | nindent 4 }}
  {{- end }}
  - name: tmp
    emptyDir: {}
{{- end }}

{{/* The service's image of a build. Call it with (list $ build). */}}
{{- define "second-step.image" -}}
{{ (index . 0).Values.image.repository }}:{{ index . 1 }}
{{- end }}

{{/* What all containers share. Call it with (list $ image). */}}
{{- define "second-step.container" -}}
{{- $root := index . 0 -}}
image: {{ index . 1 | quote }}
imagePullPolicy: {{ $root.Values.image.pullPolicy }}
securityContext:
  allowPrivilegeEscalation: false
  readOnlyRootFilesystem: true
  capabilities: { drop: [ALL] }
volumeMounts:
  - { name: secrets, mountPath: /run/secrets/second-step, readOnly: true }
  {{- if include "second-step.authority" $root }}
  - { name: authority, mountPath: /run/authority, readOnly: true }
  {{- end }}
  - { name: tmp, mountPath: /tmp }
{{- end }}

{{- define "second-step.spread" -}}
{{- $selector := include "second-step.selector" . -}}
topologySpreadConstraints:
{{- range list "kubernetes.io/hostname" "topology.kubernetes.io/zone" }}
  - maxSkew: 1
    topologyKey: {{ . }}
    whenUnsatisfiable: ScheduleAnyway
    labelSelector:
      matchLabels: {{ $selector | nindent 8 }}
{{- end }}
{{- end }}

{{/* Call it with (list $ "gateway" name-of-the-deployment values). */}}
{{- define "second-step.scaling" -}}
{{- $root := index . 0 -}}
{{- $scaling := (index . 3).autoscaling -}}
{{- if $root.Values.podDisruptionBudget.enabled }}
---
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata:
  name: {{ include "second-step.name" $root }}-{{ index . 1 }}
  labels: {{ include "second-step.labels" . | nindent 4 }}
spec:
  maxUnavailable: {{ $root.Values.podDisruptionBudget.maxUnavailable }}
  selector:
    matchLabels: {{ include "second-step.selector" . | nindent 6 }}
{{- end }}
{{- if $scaling.enabled }}
---
apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata:
  name: {{ index . 2 }}
  labels: {{ include "second-step.labels" . | nindent 4 }}
spec:
  scaleTargetRef: { apiVersion: apps/v1, kind: Deployment, name: {{ index . 2 }} }
  minReplicas: {{ $scaling.minReplicas }}
  maxReplicas: {{ $scaling.maxReplicas }}
  metrics:
    - type: Resource
      resource:
        name: cpu
        target: { type: Utilization, averageUtilization: {{ $scaling.cpuPercent }} }
{{- end }}
{{- end }}
