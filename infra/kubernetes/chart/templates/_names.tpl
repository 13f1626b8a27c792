{{/* The labels of everything; `track` is "" or "-canary". */}}
{{- define "flyweight.labels" -}}
app.kubernetes.io/name: flyweight
app.kubernetes.io/instance: {{ .root.Release.Name }}{{ .track }}
{{- end }}

{{/* The labels of objects beside pods: those, and who manages them. */}}
{{- define "flyweight.managed" -}}
{{ include "flyweight.labels" . }}
app.kubernetes.io/managed-by: {{ .root.Release.Service }}
helm.sh/chart: {{ .root.Chart.Name }}-{{ .root.Chart.Version }}
{{- end }}

{{/* The image by digest, else by tag, else by its name alone. */}}
{{- define "flyweight.image" -}}
{{ required "image.repository is the image to run, as REGISTRY/NAME" .repository }}
{{- if .digest }}@{{ .digest }}{{ else if .tag }}:{{ .tag }}{{ end }}
{{- end }}

{{/* The tracks: the release itself, and its canary if that gets requests. */}}
{{- define "flyweight.tracks" -}}
{{- $tracks := list (dict "track" "" "image" .Values.image) -}}
{{- if .Values.canary.weight -}}
{{- $tracks = append $tracks (dict "track" "-canary" "image" .Values.canary.image) -}}
{{- end -}}
{{- toJson $tracks -}}
{{- end }}
