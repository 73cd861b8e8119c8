<#
.SYNOPSIS
Runs a Dify app through its service API and saves the pictures. For PowerShell 5.1 and 7.

.DESCRIPTION
    .\client.ps1 -Inputs @{ prompt = 'a lighthouse'; width = 640 }     # a workflow
    .\client.ps1 -Inputs @{ photo = '@cat.png'; prompt = '@@home' }    # a file; the text "@home"
    .\client.ps1 -Inputs @{ photos = Get-ChildItem *.jpg }             # an input for several files
    .\client.ps1 -Query 'as watercolour' -File cat.png                 # a chatflow or an agent

Set $env:DIFY_API_KEY to the app's key (API Access in Dify), and $env:DIFY_API_URL to the address
that stands there. Returns the path of each picture.

This file is ASCII: 5.1 reads a script without a byte order mark in the system's code page. Save
yours as "UTF-8 with BOM" if a prompt in it has other letters.
#>
[CmdletBinding()]
param(
    [hashtable] $Inputs = @{},
    [string] $Query = '',
    [object[]] $File = @(),
    [switch] $Blocking,
    [string] $Url = $(if ($env:DIFY_API_URL) { $env:DIFY_API_URL } else { 'http://localhost/v1' }),
    [string] $User = [Environment]::UserName,
    [string] $Out = 'pictures'
)

Set-StrictMode -Version 2.0
$ErrorActionPreference = 'Stop'
# In 5.1 the progress bar makes downloads many times slower.
$ProgressPreference = 'SilentlyContinue'
try { [Console]::OutputEncoding = [Text.Encoding]::UTF8 } catch { Write-Verbose 'No console' }
if ($PSVersionTable.PSVersion.Major -lt 6) {
    [Net.ServicePointManager]::SecurityProtocol = [Net.SecurityProtocolType]::Tls12
}
Add-Type -AssemblyName System.Net.Http

$silence = 60   # Seconds without a line after which the stream counts as cut; Dify pings every ten.
$pauses = 1, 2, 5, 10, 30
$Url = $Url.TrimEnd('/')
$key = "$env:DIFY_API_KEY".Trim()
if ($key -notmatch '^app-[!-~]+$') {
    throw 'DIFY_API_KEY must begin with app- and be ASCII: copy it again from API Access in Dify.'
}

# Before anything is drawn that it could not take.
$folder = (New-Item -ItemType Directory -Force -Path $Out).FullName

$http = New-Object Net.Http.HttpClient
$http.Timeout = [Threading.Timeout]::InfiniteTimeSpan
$http.DefaultRequestHeaders.Authorization =
    New-Object Net.Http.Headers.AuthenticationHeaderValue 'Bearer', $key

$run = @{ Id = ''; Ended = $false; Heard = $false; Errors = @(); Saved = @{} }

# With StrictMode, a property that is not there is an error: Dify's events differ.
function Get-Field($Of, [string] $Name) {
    if ($null -ne $Of -and $Of.PSObject.Properties[$Name]) { $Of.$Name }
}

# Fetches a file at once, for its link lives five minutes. The key is not sent along: the link has
# a signature of its own, and its host may be another.
function Save-Picture([string] $Link, [string] $Name) {
    $address = New-Object Uri ([Uri] "$Url/"), $Link
    if ($run.Saved.ContainsKey($address.AbsolutePath)) { return }
    $run.Saved[$address.AbsolutePath] = $true
    if (-not $Name) { $Name = [Uri]::UnescapeDataString($address.Segments[-1]) }
    $Name = ($Name -replace '[^\w.-]', '_').TrimStart('.')
    $target = Join-Path $folder $Name
    for ($number = 2; Test-Path -LiteralPath $target; $number++) {
        $target = Join-Path $folder ([IO.Path]::GetFileNameWithoutExtension($Name) + "-$number" +
            [IO.Path]::GetExtension($Name))
    }
    try {
        Invoke-WebRequest -UseBasicParsing -Uri $address -OutFile $target -TimeoutSec 60
        $target
    }
    catch {
        # Without the query, which has the signature.
        $run.Errors += "$($address.GetLeftPart('Path')) cannot be fetched: $($_.Exception.Message)"
    }
}

function Save-Files($Values) {
    foreach ($file in @($Values)) {
        if ((Get-Field $file 'dify_model_identity') -ne '__dify__file__') { continue }
        $link = Get-Field $file 'url'
        if (-not $link) { $link = Get-Field $file 'remote_url' }
        if ($link) { Save-Picture $link (Get-Field $file 'filename') }
    }
}

# What a text shows, which is all that a blocking chat tells of its pictures.
function Save-Linked([string] $Text) {
    foreach ($found in [regex]::Matches($Text, '!\[([^\]]*)\]\((\S*/files/\S+?)\)')) {
        Save-Picture $found.Groups[2].Value $found.Groups[1].Value
    }
}

# Takes in one event. What it returns are paths; what it shows goes to the host.
function Receive-Event($Said) {
    $run.Heard = $true
    $id = Get-Field $Said 'workflow_run_id'
    if ($id) { $run.Id = $id }
    $data = Get-Field $Said 'data'
    switch ($Said.event) {
        'node_started' { Write-Host "`n> $($data.title)" }
        'node_retry' { Write-Host "`n[$($data.title) is tried again: $($data.error)]" }
        'text_chunk' { Write-Host $data.text -NoNewline }
        { $_ -in 'message', 'agent_message' } { Write-Host $Said.answer -NoNewline }
        'message_file' { if ($Said.belongs_to -eq 'assistant') { Save-Picture $Said.url '' } }
        'message_end' { Save-Files (Get-Field $Said 'files'); $run.Ended = $true }
        'workflow_finished' { Receive-End $data }
        'workflow_paused' {
            $run.Errors += "Run $($run.Id) waits for somebody's input in Dify."
            $run.Ended = $true
        }
        'error' {
            if ($run.Errors -notcontains $Said.message) { $run.Errors += $Said.message }
            $run.Ended = $true
        }
    }
}

function Receive-End($Data) {
    # One answer has no `files`, so they are taken from where both have them.
    $outputs = Get-Field $Data 'outputs'
    if ($null -ne $outputs) {
        foreach ($output in $outputs.PSObject.Properties) {
            Save-Files $output.Value
            if ($output.Value -is [string]) { Save-Linked $output.Value }
        }
    }
    if ($Data.status -notin 'succeeded', 'partial-succeeded') {
        $run.Errors += $(if ($Data.error) { $Data.error } else { "The run $($Data.status)." })
    }
    $run.Ended = $true
}

function New-Request([string] $Method, [string] $Path, [Net.Http.HttpContent] $Content) {
    $request = New-Object Net.Http.HttpRequestMessage (New-Object Net.Http.HttpMethod $Method),
        "$Url$Path"
    $request.Content = $Content
    $request
}

# Returns Dify's answer, or nothing if it refused, which nobody need try again.
function Send-Request([Net.Http.HttpRequestMessage] $Request) {
    try {
        $response = $http.SendAsync($Request,
            [Net.Http.HttpCompletionOption]::ResponseHeadersRead).GetAwaiter().GetResult()
    }
    catch {
        $cause = $_.Exception.GetBaseException()
        $refused = $cause -is [Net.Sockets.SocketException] -and
            $cause.SocketErrorCode -in 'ConnectionRefused', 'HostNotFound'
        if ($run.Id -or -not $refused) { throw }
        $run.Errors += "$Url cannot be reached: $($cause.Message)"
        $run.Ended = $true
        return
    }
    if ($response.IsSuccessStatusCode) { return $response }
    $status = [int] $response.StatusCode
    $text = $response.Content.ReadAsStringAsync().GetAwaiter().GetResult()
    $text = "Dify answered $status. $text"
    if ($run.Id -and $status -ge 500) { throw $text }
    $run.Errors += $text
    $run.Ended = $true
}

# Follows one stream as far as it goes. Read as UTF-8, whatever the system's code page.
function Read-Stream([Net.Http.HttpRequestMessage] $Request) {
    $response = Send-Request $Request
    if ($null -eq $response) { return }
    try {
        $stream = $response.Content.ReadAsStreamAsync().GetAwaiter().GetResult()
        $reader = New-Object IO.StreamReader $stream, ([Text.Encoding]::UTF8)
        while ($true) {
            $reading = $reader.ReadLineAsync()
            if (-not $reading.Wait($silence * 1000)) { throw "nothing for $silence seconds" }
            $line = $reading.Result
            if ($null -eq $line) { break }
            if ($line.StartsWith('data:')) { Receive-Event ($line.Substring(5) | ConvertFrom-Json) }
        }
    }
    finally { $response.Dispose() }
}

# Bytes, not a string: 5.1 would guess the encoding.
function Receive-Json([Net.Http.HttpRequestMessage] $Request) {
    $response = Send-Request $Request
    if ($null -eq $response) { return }
    $bytes = $response.Content.ReadAsByteArrayAsync().GetAwaiter().GetResult()
    [Text.Encoding]::UTF8.GetString($bytes) | ConvertFrom-Json
}

function Receive-Whole($Said) {
    $data = Get-Field $Said 'data'
    if ($null -ne $data) { Receive-End $data }
    else {
        Write-Host $Said.answer
        Save-Linked $Said.answer
    }
}

# What Dify answers to what draws nothing.
function Get-Answer([Net.Http.HttpRequestMessage] $Request) {
    $said = Receive-Json $Request
    if ($run.Errors) { throw ($run.Errors -join "`n") }
    $said
}

$mediaTypes = @{
    '.png' = 'image/png'; '.jpg' = 'image/jpeg'; '.jpeg' = 'image/jpeg'; '.webp' = 'image/webp'
    '.gif' = 'image/gif'; '.bmp' = 'image/bmp'
}

# Hands a file to Dify, where only this user can use it, and returns what stands for it.
function Send-File($Path, $Takes) {
    if ($Path -is [IO.FileInfo]) { $Path = $Path.FullName }
    $found = Get-Item -LiteralPath $Path -Force -ErrorAction SilentlyContinue
    if ($found -isnot [IO.FileInfo]) { throw "There is no file $Path." }
    if ($found.Length -eq 0) { throw "$Path is empty." }
    $type = $mediaTypes[$found.Extension]
    $kind = if ($type) { 'image' } else { 'document' }
    $kinds = @(Get-Field $Takes 'allowed_file_types' | Where-Object { $_ })
    if ($kinds -and $kinds -notcontains $kind -and $kinds -notcontains 'custom') {
        throw "$Path is taken for a file of kind $kind, not $($kinds -join ' or ')."
    }
    $content = [Net.Http.ByteArrayContent]::new([IO.File]::ReadAllBytes($found.FullName))
    if (-not $type) { $type = 'application/octet-stream' }   # Dify refuses a file of no type.
    $content.Headers.ContentType = [Net.Http.Headers.MediaTypeHeaderValue]::new($type)
    $form = [Net.Http.MultipartFormDataContent]::new()
    $form.Add([Net.Http.StringContent]::new($User), 'user')
    $form.Add($content, 'file', $found.Name)
    try { $said = Get-Answer (New-Request 'POST' '/files/upload' $form) }
    catch { throw "$Path was not uploaded. $($_.Exception.Message)" }
    @{ type = $kind; transfer_method = 'local_file'; upload_file_id = $said.id }
}

# The file that '@cat.png' or a file itself means, or nothing.
function Get-Named($Value) {
    if ($Value -is [IO.FileInfo]) { $Value }
    elseif ("$Value" -match '^@(?!@)') { "$Value".Substring(1) }
}

# Returns what an input is to be, or one thing for each of its files.
function ConvertTo-Input($Field, [string] $Kind, [object[]] $Values) {
    $name = $Field.variable
    $files = @($Values | ForEach-Object { Get-Named $_ })
    $wanted = $Kind -in 'file', 'file-list'
    if ($wanted -and $files.Count -lt $Values.Count) { throw "$name takes a file: '@FILE'." }
    if ($files -and -not $wanted) {
        throw "$name takes a text: one that begins with @ has it twice."
    }
    if ($Kind -ne 'file-list' -and $Values.Count -ne 1) {
        throw "$name takes one value, not $($Values.Count)."
    }
    if ($wanted) { foreach ($path in $files) { Send-File $path $Field } }
    elseif ($Values[0] -is [string]) { "$($Values[0])" -replace '^@@', '@' }
    elseif ($Kind -in 'text-input', 'paragraph', 'select') { "$($Values[0])" }
    else { $Values[0] }
}

# Returns the inputs as the app's form wants them. Dify itself drops one that the app does not have
# without a word. The enumerators are there for inputs that are called "keys".
function Get-Inputs($Form) {
    $fields = [ordered] @{}
    foreach ($entry in $Form) {
        foreach ($one in $entry.PSObject.Properties) { $fields[$one.Value.variable] = $one }
    }
    $known = @($fields.GetEnumerator() | ForEach-Object { $_.Key })
    $given = @($Inputs.GetEnumerator() | ForEach-Object { $_.Key })
    $unknown = @($given | Where-Object { $known -notcontains $_ })
    if ($unknown) {
        $known = if ($known) { $known -join ', ' } else { 'none' }
        throw "The app has no input $($unknown -join ', '). Its inputs: $known."
    }
    $required = @($known | Where-Object { Get-Field $fields[$_].Value 'required' })
    $missing = @($required | Where-Object { $given -notcontains $_ })
    if ($missing) { throw "The app needs $($missing -join ', ')." }
    $sent = @{}
    foreach ($name in $known | Where-Object { $given -contains $_ }) {
        $kind = $fields[$name].Name
        $values = @(ConvertTo-Input $fields[$name].Value $kind @($Inputs[$name]))
        if ($kind -eq 'file-list') { $sent[$name] = $values } else { $sent[$name] = $values[0] }
    }
    $sent
}

# What starts the app, its files uploaded.
function New-Start([string] $Path) {
    $takes = Get-Answer (New-Request 'GET' '/parameters')
    $upload = Get-Field $takes 'file_upload'
    if ($File -and -not (Get-Field $upload 'enabled')) {
        throw 'The app takes no files with a message: its File Upload is off.'
    }
    $body = @{
        inputs = Get-Inputs (Get-Field $takes 'user_input_form')
        files = @($File | ForEach-Object { Send-File $_ $upload })
        user = $User
        response_mode = $(if ($Blocking) { 'blocking' } else { 'streaming' })
    }
    if ($Query) { $body.query = $Query }
    # UTF-8 in both versions. Invoke-RestMethod of 5.1 would send ISO-8859-1.
    $json = [Net.Http.StringContent]::new((ConvertTo-Json $body -Depth 10),
        [Text.Encoding]::UTF8, 'application/json')
    New-Request 'POST' $Path $json
}

$lost = "There is no run to come back to: look at the app's Logs before you start another."
$path = if ($Query) { '/chat-messages' } else { '/workflows/run' }
if ($File -and -not $Query) {
    throw "-File goes with -Query; a workflow's file is one of its -Inputs: @{ photo = '@cat.png' }"
}
$request = New-Start $path
if ($Blocking) {
    try {
        $said = Receive-Json $request
        if ($null -ne $said) { Receive-Whole $said }
    }
    catch { throw "$($_.Exception.Message) $lost" }
}
else {
    $try = 0
    while (-not $run.Ended) {
        $run.Heard = $false
        $cut = 'the stream ended early'
        try { Read-Stream $request } catch { $cut = $_.Exception.Message }
        if ($run.Ended) { break }
        if (-not $run.Id) { throw "$cut. $lost" }
        if ($run.Heard) { $try = 0 }
        if ($try -ge $pauses.Count) { throw "Run $($run.Id) cannot be heard any more: $cut" }
        Write-Host "`n[cut off, listening again in $($pauses[$try]) s: $cut]"
        Start-Sleep -Seconds $pauses[$try]
        $try++
        # The run goes on by itself, and this only listens: nothing is drawn twice.
        $listener = [Uri]::EscapeDataString($User)
        $request = New-Request 'GET' "/workflow/$($run.Id)/events?user=$listener"
    }
}
Write-Host ''
if ($run.Errors) { throw ($run.Errors -join "`n") }
