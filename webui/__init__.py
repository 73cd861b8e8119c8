"""Stable Diffusion WebUIs, one server at a time; nothing here knows who asks.

    draw, sketch      txt2img and img2img; few fields, for agents      one module per thing that a
    enlarge, survey   larger pictures; what the server is and has      user can ask for: a Call goes
    png_info, caption what is written inside a picture, or seen in it  in, Events come out
    remove_background what stands in a picture alone
    control_preview   the map that ControlNet makes of a picture
    call, report      what goes in; what comes out
    errors            what can go wrong, split by remedy
    fields, values    what the catalogue says of each field; loosely typed values
    text, said        text from others, made fit to be sent and shown; what servers say
    lasting           what outlives a call: jobs that run or are kept, cached lists

    run/              jobs: submit, watch, end or keep them; what came against what was asked
    request/          from values to what is posted: pictures placed, names checked, LoRAs, scripts
    server/           who answers (families, by traits) and what it offers (lists, names), cached
    http/             addresses, endpoints, replies read as they arrive and bounded; remedies
    pictures/         bytes, sizes, orientation; the text inside

Imports go down this list, and to `call`, `errors`, `fields`, `lasting`, `said`, `text` and
`values` from anywhere.
"""
